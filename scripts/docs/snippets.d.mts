// Types of snippets.mjs, for the tests that run it.

/** A fenced block of a document. */
export interface Snippet {
  readonly line: number;
  readonly language: string;
  readonly marks: Readonly<Record<string, string | true | undefined>>;
  readonly code: string;
  readonly isRunnable: boolean;
}

export function snippetsOf(text: string, page: string): Snippet[];
export function snippetsIn(path: string, page: string): Snippet[];
export function givenFiles(text: string): string[];
