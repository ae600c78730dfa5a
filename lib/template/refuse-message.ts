// The error for a message of a conversation that cannot be used.
import { R1Error } from "../base/errors.js";

/**
 * @param path - Where in the conversation, e.g. `messages[2].content`; `details.path` of the error.
 * @throws {R1Error} `INVALID_MESSAGE`, always.
 */
export function refuseMessage(path: string, problem: string): never {
  throw new R1Error("INVALID_MESSAGE", `\`${path}\` ${problem}`, { details: { path } });
}
