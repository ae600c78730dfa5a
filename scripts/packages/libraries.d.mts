// Types of libraries.mjs, for the tests.
export function glibcOf(folder: string, newest?: string): string | undefined;
