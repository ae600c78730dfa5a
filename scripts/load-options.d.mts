// Types of the writer of docs/reference/api.md's list of load options, for the test that runs it.
import type { LOAD_OPTION_GROUPS } from "../lib/load-flags.js";

/** A document with the list between its markers written anew. */
export function withLoadOptions(document: string, groups: typeof LOAD_OPTION_GROUPS): string;
