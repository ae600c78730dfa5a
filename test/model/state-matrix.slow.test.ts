// Every method in every state: idle, generating, closing, closed; and a load that is not done yet.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Generation } from "../../lib/engine/generation.js";
import type { Model } from "../../lib/model/model.js";
import type { ChatSession } from "../../lib/model/session.js";
import { ENDLESS, GREEDY, collect, loadTiny } from "../fixtures/tiny.js";

const MESSAGES = [{ role: "user", content: "What is 1+1?" }] as const;
const SHORT = { ...GREEDY, maxTokens: 60 };

type Outcome = "works" | "DISPOSED" | "SESSION_BUSY";
interface Stage {
  readonly model: Model;
  readonly session: ChatSession;
  /** The session's turn: running while generating, ended before. */
  readonly run: Generation;
}

/** What a call comes to: "works", or the code it throws or rejects with. */
async function outcomeOf(call: () => unknown): Promise<Outcome> {
  try {
    await call();
    return "works";
  } catch (error) {
    return (error as { code: Outcome }).code;
  }
}

const CALLS: Record<string, (stage: Stage) => unknown> = {
  "model.info": ({ model }) => model.info.cache.bytes,
  "model.isClosed": ({ model }) => model.isClosed,
  "model.stats": ({ model }) => model.stats(),
  "model.tokenizer.encode": ({ model }) => model.tokenizer.encode("x"),
  "model.tokenizer.decode": ({ model }) => model.tokenizer.decode([20]),
  "model.formatChat": ({ model }) => model.formatChat(MESSAGES),
  "model.complete": ({ model }) => model.complete("x", SHORT).cancel(),
  "model.chat": ({ model }) => model.chat(MESSAGES, SHORT).cancel(),
  "model.session": ({ model }) => model.session(),
  "session.messages": ({ session }) => session.messages.length,
  "session.isBusy": ({ session }) => session.isBusy,
  "session.send": ({ session }) => session.send("x", SHORT).cancel(),
  "session.reset": ({ session }) => session.reset(),
  "session.save": ({ session }) => session.save(),
  "generation.cancel then result": ({ run }) => {
    run.cancel();
    return run.result();
  },
  "generation loop": ({ run }) => {
    run.cancel();
    return collect(run);
  },
  "model.close": ({ model }) => model.close(),
  "model[Symbol.asyncDispose]": ({ model }) => model[Symbol.asyncDispose](),
};

/** Calls that need no engine any more. */
const ALWAYS = [
  "model.info",
  "model.isClosed",
  "session.messages",
  "session.isBusy",
  "session.reset",
  "model.close",
  "model[Symbol.asyncDispose]",
];

let model: Model;
beforeEach(async () => void (model = await loadTiny()));
afterEach(() => model.close());

describe.each(Object.entries(CALLS))("%s", (name, call) => {
  it("works while idle", async () => {
    const session = model.session();
    const run = session.send("What is 1+1?", SHORT);
    await run.result();
    expect(await outcomeOf(() => call({ model, session, run }))).toBe("works");
  });

  it("while generating", async () => {
    const session = model.session();
    const run = session.send("x", ENDLESS);
    const expected = name === "session.send" || name === "session.save" ? "SESSION_BUSY" : "works";
    expect(await outcomeOf(() => call({ model, session, run }))).toBe(expected);
  });

  it.each(["closing", "closed"] as const)("while %s", async (state) => {
    const session = model.session();
    const run = session.send("x", ENDLESS);
    const closing = model.close();
    if (state === "closed") await closing;
    expect(await outcomeOf(() => call({ model, session, run }))).toBe(
      ALWAYS.includes(name) ? "works" : "DISPOSED",
    );
    await closing;
  });
});

describe("a model that is still loading", () => {
  it("is not there: only its promise is, and a second load beside it works", async () => {
    const [first, second] = await Promise.all([loadTiny(), loadTiny()]);
    const runs = [first, second, model].map((each) => each.chat(MESSAGES, SHORT).result());
    expect((await Promise.all(runs)).map((result) => result.answer)).toEqual([
      "It's 2.",
      "It's 2.",
      "It's 2.",
    ]);
    await Promise.all([first.close(), second.close()]);
  });

  it("can be closed the moment it is there", async () => {
    await loadTiny().then((loaded) => loaded.close());
  });
});

describe("closing", () => {
  it("with 16 running ends each with DISPOSED, and takes no longer than a decode step or so", async () => {
    const wide = await loadTiny({ sequences: 16 });
    const runs = Array.from({ length: 16 }, (_, i) => wide.complete(`x${i}`, ENDLESS));
    const iterators = runs.map((run) => run[Symbol.asyncIterator]());
    await Promise.all(iterators.map((iterator) => iterator.next()));
    const start = performance.now();
    const closing = wide.close();
    for (const run of runs) await expect(run.result()).rejects.toMatchObject({ code: "DISPOSED" });
    await closing;
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("with requests in the queue ends them too", async () => {
    const narrow = await loadTiny();
    const runs = [0, 1, 2].map(() => narrow.complete("x", ENDLESS));
    await narrow.close();
    for (const run of runs) await expect(collect(run)).rejects.toMatchObject({ code: "DISPOSED" });
  });
});
