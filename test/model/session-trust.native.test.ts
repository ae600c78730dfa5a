// Saved sessions as files and as a stranger's words: who may read them, what they are not written
// onto, and what `sessionKey` refuses. The real addon, here and in a child process.
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../../dist/index.js";
import type { LoadOptions, Model } from "../../dist/index.js";
import { GREEDY, withFolder } from "../fixtures/tiny.js";

const KEY = Buffer.from("a key of this host, 32 bytes lon");
const OTHER_KEY = Buffer.from("another key of 32 bytes, as long");

const load = (options: LoadOptions = {}): Promise<Model> =>
  loadModel({ threads: 1, contextSize: 2048, sequences: 2, ...options });

describe.each(["none", "process"] as const)("with isolation %s", (isolation) => {
  let model: Model;
  beforeAll(async () => void (model = await load({ isolation, sessionKey: KEY })));
  afterAll(() => model.close());

  const asked = async (): Promise<ReturnType<Model["session"]>> => {
    const session = model.session(GREEDY);
    await session.send("What is 2+3?").result();
    return session;
  };

  it("a saved session is read by its owner alone, also where an open file stood before", () =>
    withFolder(async (folder) => {
      const file = join(folder, "a.session");
      writeFileSync(file, "old", { mode: 0o644 });
      const session = await asked();
      await session.save(file);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readdirSync(folder)).toEqual(["a.session"]);
      const unbroken = await session.send("Now add 5.").result();
      const restored = await model.restoreSession(file, GREEDY);
      const again = await restored.send("Now add 5.").result();
      expect(again.tokens).toEqual(unbroken.tokens);
      expect(again.usage.cachedTokens).toBeGreaterThan(5);
    }));

  it("a FIFO and a folder are not written onto; a link stays, and its file is replaced", () =>
    withFolder(async (folder) => {
      const session = await asked();
      const fifo = join(folder, "fifo");
      const link = join(folder, "link");
      const target = join(folder, "target");
      execFileSync("mkfifo", [fifo]);
      writeFileSync(target, "an older session");
      symlinkSync(target, link);
      for (const place of [fifo, folder])
        await expect(session.save(place)).rejects.toMatchObject({ name: "R1Error" });
      await session.save(link);
      expect(lstatSync(fifo).isFIFO()).toBe(true);
      expect(lstatSync(link).isSymbolicLink()).toBe(true);
      expect(statSync(target).mode & 0o777).toBe(0o600);
      expect((await model.restoreSession(target)).messages).toHaveLength(2);
      expect(readdirSync(folder).sort()).toEqual(["fifo", "link", "target"]);
    }));

  it("neither is a device", async () => {
    const session = await asked();
    await expect(session.save("/dev/null")).rejects.toMatchObject({ name: "R1Error" });
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  it("reads no FIFO and waits for none", () =>
    withFolder(async (folder) => {
      const fifo = join(folder, "fifo");
      execFileSync("mkfifo", [fifo]);
      await expect(model.restoreSession(fifo)).rejects.toMatchObject({ name: "R1Error" });
      expect(existsSync(fifo)).toBe(true);
    }));

  it("only what was sealed with the same key is restored", async () => {
    const bytes = await (await asked()).save();
    const restored = await model.restoreSession(bytes, GREEDY);
    expect(restored.messages).toHaveLength(2);
    for (const sessionKey of [OTHER_KEY, undefined]) {
      const other = await load(sessionKey === undefined ? {} : { sessionKey });
      await expect(other.restoreSession(bytes)).rejects.toMatchObject({ code: "STATE_INVALID" });
      const theirs = other.session(GREEDY);
      await theirs.send("What is 2+3?").result();
      const foreign = await theirs.save();
      await expect(model.restoreSession(foreign)).rejects.toMatchObject({ code: "STATE_INVALID" });
      await other.close();
    }
  });

  it("bytes that are changed or transferred while they are copied are refused, or are what they were", async () => {
    const bytes = await (await asked()).save();
    const copy = new Uint8Array(bytes);
    const coming = model.restoreSession(copy);
    copy.fill(0, 100, 200);
    await coming.then(
      (session) => expect(session.messages).toHaveLength(2),
      (error: unknown) => expect(error).toMatchObject({ name: "R1Error" }),
    );
    const gone = new Uint8Array(bytes);
    const late = model.restoreSession(gone);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    await late.then(
      (session) => expect(session.messages).toHaveLength(2),
      (error: unknown) => expect(error).toMatchObject({ name: "R1Error" }),
    );
    expect((await model.restoreSession(bytes)).messages).toHaveLength(2);
  });
});

it.each([["short"], [Buffer.alloc(15)], [5], [null]])("refuses %o as a key", async (sessionKey) => {
  await expect(load({ sessionKey } as unknown as LoadOptions)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
  });
});
