// Types of check-site.mjs, for the tests that run it.
export function checkSite(dist: string, base?: string): { pages: number; links: number };
