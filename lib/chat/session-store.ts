// Saves sessions with their KV cells, and puts them back. Runs on the JavaScript thread that loaded the model; cells are copied on the engine's.
import { fileURLToPath } from "node:url";
import { refuse } from "../base/check.js";
import { isR1Error } from "../base/errors.js";
import { readWhole } from "../base/whole-file.js";
import type { Engine } from "../engine/engine.js";
import type { Weights } from "../model/weights.js";
import type { PromptConfig } from "./chat-options.js";
import { chatPrompt } from "./prompt.js";
import { assertSameMaker, decodeSession, encodeSession } from "./saved-session.js";
import type { SessionMaker } from "./saved-session.js";
import type { SessionState } from "./session.js";

const NOTHING = new Uint8Array(0);

/** The cells that hold some tokens, or nothing where the engine has given them away. */
async function cellsOf(engine: Engine, tokens: Int32Array): Promise<Uint8Array> {
  if (tokens.length === 0) return NOTHING;
  try {
    return await engine.saveState(tokens);
  } catch (error) {
    if (isR1Error(error, "STATE_INVALID")) return NOTHING;
    throw error;
  }
}

function commonLength(a: Int32Array, b: Int32Array): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a[at] === b[at]) at++;
  return at;
}

/**
 * The bytes of a session. Saved are the cells that the next turn can use: those up to where the last turn's reasoning begins. Where the engine has given cells away to other
 * requests, only the turns are saved, and the cells are computed again after restoring. The engine is asked for them before this returns, and so before any turn that is sent later.
 *
 * @param prompting - How the session writes its conversation out.
 */
export async function saveSession(
  weights: Weights,
  engine: Engine,
  maker: () => Promise<SessionMaker>,
  session: SessionState,
  prompting: PromptConfig,
): Promise<Uint8Array[]> {
  const { messages, startLength, held } = session;
  const next =
    held.length === 0 ? held : chatPrompt(messages, prompting, false, weights, false).tokens;
  const tokens = held.slice(0, commonLength(held, next));
  const [state, made] = await Promise.all([cellsOf(engine, tokens), maker()]);
  return encodeSession({
    maker: made,
    messages,
    startLength,
    tokens: state.length === 0 ? new Int32Array(0) : tokens,
    state,
  });
}

/**
 * Reads a saved session and puts its cells back.
 *
 * @throws {R1Error} `STATE_INVALID`, `STATE_MISMATCH`, `QUEUE_FULL` (no idle sequence), `CONTEXT_FULL`, `FILE_NOT_FOUND`, `IO_FAILED`, `INVALID_ARGUMENT`.
 */
export async function restoreSession(
  engine: Engine,
  maker: () => Promise<SessionMaker>,
  from: unknown,
): Promise<SessionState> {
  if (
    !(from instanceof Uint8Array) &&
    !(from instanceof URL) &&
    (typeof from !== "string" || from === "")
  )
    refuse("from", "a path, a file: URL or a Uint8Array", from);
  const bytes =
    from instanceof Uint8Array
      ? from
      : await readWhole(from instanceof URL ? fileURLToPath(from) : from);
  const saved = decodeSession(bytes);
  assertSameMaker(saved.maker, await maker());
  if (saved.state.length > 0) await engine.restoreState(saved.tokens, saved.state);
  return { messages: saved.messages, startLength: saved.startLength, held: saved.tokens };
}
