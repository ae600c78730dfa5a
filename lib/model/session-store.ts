// Saves sessions with their KV cells, and restores them. Native threads copy, hash and write the
// cells; this file handles only the turns.
import { fileURLToPath } from "node:url";
import { whenReady } from "../base/awaitable.js";
import type { Awaitable } from "../base/awaitable.js";
import { refuse } from "../base/check.js";
import { fromNative, isR1Error, R1Error } from "../base/errors.js";
import { writeFileAtomically } from "../base/files/writer.js";
import type { Engine } from "../engine/engine.js";
import type { Weights } from "../weights/weights.js";
import type { PromptConfig } from "./chat-options.js";
import { chatTextSoon, promptSoon } from "./prompt.js";
import { assertSameMaker, decodeHead, encodeFront } from "./saved-session.js";
import type { SessionMaker } from "./saved-session.js";
import type { SessionState } from "./session.js";
import type { TurnIds } from "./turn-ids.js";

/** The parts of a model that saving and restoring need. */
export interface SessionModel {
  readonly weights: Weights;
  readonly engine: Engine;
  readonly maker: () => Promise<SessionMaker>;
  /** Key that seals sessions; null: they are sealed without a key. */
  readonly key: Uint8Array | null;
}

/** Frees the cells of restored sessions that are no longer referenced. */
const dropped = new FinalizationRegistry<{ engine: Engine; session: number }>(
  ({ engine, session }) => {
    if (!engine.isClosed) engine.sessions.forget(session);
  },
);

/** Frees a restored session's cells once `holder` is no longer referenced. */
export function forgetWhenDropped(holder: object, engine: Engine, session: number): void {
  dropped.register(holder, { engine, session });
}

const NO_TOKENS = new Int32Array(0);

/** Converts an error of native code, with the file it concerns. */
function failure(error: unknown, path: string | undefined): R1Error {
  const made = fromNative(error);
  if (path === undefined || (made.code !== "NO_SPACE" && made.code !== "IO_FAILED")) return made;
  return new R1Error(made.code, `"${path}": ${made.message}`, {
    cause: error,
    details: { ...made.details, path },
  });
}

function commonLength(a: Int32Array, b: Int32Array): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a[at] === b[at]) at++;
  return at;
}

/**
 * Returns the ids that the next turn begins with, whatever its message is; long texts are tokenised
 * on another thread.
 */
function nextTokens(
  weights: Weights,
  messages: SessionState["messages"],
  prompting: PromptConfig,
  ids?: TurnIds,
): Awaitable<Int32Array> {
  if (messages.length === 0) return NO_TOKENS;
  const form = { config: prompting, opensThink: false, generationPrompt: false };
  return whenReady(chatTextSoon(messages, form, weights), (text) =>
    whenReady(promptSoon(text, weights, { ids }), ({ tokens }) => tokens),
  );
}

/** The state of a session that is being saved. */
export interface SavedState extends SessionState {
  /** The known ids of its turns. */
  readonly ids: TurnIds;
  /** Called when its cells are held, or are known to be gone. */
  readonly onHeld: () => void;
}

/**
 * Saves a session, with the cells that the next turn can use: those up to where the last turn's
 * reasoning begins. If the engine has given cells to other requests, only the turns are saved, and
 * the cells are computed again after restoring. The cells of a short session are held before this
 * returns, otherwise when `onHeld` is called; turns that are sent later must wait for that.
 *
 * @param prompting - How the session renders its conversation.
 * @param path - The file to write; undefined: resolve with the bytes.
 */
export async function saveSession(
  model: SessionModel,
  session: SavedState,
  prompting: PromptConfig,
  path: string | undefined,
): Promise<Uint8Array | undefined> {
  const { sessions } = model.engine;
  const { messages, startLength, held, ids } = session;
  let next: Int32Array = NO_TOKENS;
  try {
    const soon =
      held.length === 0 ? NO_TOKENS : nextTokens(model.weights, messages, prompting, ids);
    // No unnecessary turn of the event loop.
    next = soon instanceof Promise ? await soon : soon;
  } catch (error) {
    throw failure(error, path);
  }
  const tokens = held.slice(0, commonLength(held, next));
  const holding =
    tokens.length === 0 ? Promise.resolve(0) : sessions.hold(tokens, session.id).catch(noCells);
  session.onHeld();
  let hold = 0;
  try {
    const [maker, held] = await Promise.all([model.maker(), holding]);
    hold = held;
    const write = async (file: string | null): Promise<Uint8Array | null> => {
      const save = (hold: number, tokens: Int32Array): Promise<Uint8Array | null> => {
        const front = encodeFront({ maker, messages, startLength }, tokens);
        return sessions.save({ hold, front, key: model.key, path: file });
      };
      if (hold === 0) return save(0, NO_TOKENS);
      try {
        return await save(hold, tokens);
      } catch (error) {
        noCells(error);
        return save(0, NO_TOKENS);
      }
    };
    if (path === undefined) return (await write(null)) ?? undefined;
    await writeFileAtomically(path, { force: true, isPrivate: true }, async ({ temporary }) => {
      await write(temporary);
    });
    return undefined;
  } catch (error) {
    throw failure(error, path);
  } finally {
    // Also when something else failed before the cells were held.
    void holding.then((held) => held > 0 && sessions.release(held)).catch(() => undefined);
  }
}

/** The engine has given the cells to other requests: 0. */
function noCells(error: unknown): 0 {
  if ((error as { code?: unknown }).code === "STATE_INVALID") return 0;
  throw error;
}

/**
 * Reads a saved session and restores its cells, for this session only.
 *
 * @param prompting - How the session will render its conversation. Cells of tokens that its
 * messages do not begin with are left out.
 * @throws {R1Error} `STATE_INVALID`, `STATE_MISMATCH`, `QUEUE_FULL` (no idle sequence),
 * `CONTEXT_FULL`, `FILE_NOT_FOUND`, `IO_FAILED`, `INVALID_ARGUMENT`.
 */
export async function restoreSession(
  model: SessionModel,
  from: unknown,
  prompting: PromptConfig,
): Promise<SessionState> {
  if (
    !(from instanceof Uint8Array) &&
    !(from instanceof URL) &&
    (typeof from !== "string" || from === "")
  )
    refuse("from", "a path, a file: URL or a Uint8Array", from);
  const source = from instanceof URL ? fileURLToPath(from) : from;
  const path = typeof source === "string" ? source : undefined;
  const { sessions } = model.engine;
  try {
    const { saved, head, tokens, problem } = await sessions.open(source, model.key);
    try {
      const { maker, messages, startLength } = decodeHead(head);
      assertSameMaker(maker, await model.maker());
      if (problem !== "") throw new R1Error("STATE_INVALID", problem);
      const next =
        tokens.length === 0 ? NO_TOKENS : await nextTokens(model.weights, messages, prompting);
      const fits = tokens.length > 0 && commonLength(tokens, next) === tokens.length;
      const id = fits ? model.engine.newSession() : 0;
      if (fits) await sessions.restore(saved, id);
      return { id, messages, startLength, held: fits ? tokens : NO_TOKENS };
    } finally {
      sessions.close(saved);
    }
  } catch (error) {
    if (isR1Error(error)) throw error;
    throw failure(error, path);
  }
}
