// Types of stage.mjs, for the tests that run it.
export function stagedText(text: string, page: { source: string; target: string }): string;
export function stage(folder: string): void;
