// Types of pages.mjs, for the tests that run it.

/** A document that is a page of the docs site. */
export interface Page {
  readonly source: string;
  readonly target: string;
  readonly title: string;
}

export const root: string;
export const pages: readonly Page[];
export const groups: readonly { readonly text: string; readonly pages: readonly Page[] }[];
