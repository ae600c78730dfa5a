// The error for an invalid message of a conversation.
import { R1Error } from "../base/errors.js";

/**
 * @param path - Location in the conversation, e.g. `messages[2].content`; `details.path` of the
 * error.
 * @throws {R1Error} `INVALID_MESSAGE`, always.
 */
export function refuseMessage(path: string, problem: string): never {
  throw new R1Error("INVALID_MESSAGE", `\`${path}\` ${problem}`, { details: { path } });
}
