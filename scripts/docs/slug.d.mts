// Types of slug.mjs, for the tests that run it.
export function slug(text: string): string;
export function uniqueSlugs(): (text: string) => string;
