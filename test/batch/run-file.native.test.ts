// runBatchFile: what stands in the files of a batch, and what a run that goes on does with them; on
// a model without an engine.
import { spawnSync } from "node:child_process";
import { existsSync, linkSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  batchStats,
  exportBatch,
  lengthPlot,
  mergeBatches,
  runBatchFile,
  type BatchFileOptions,
} from "../../lib/batch.js";
import { withFolder } from "../fixtures/tiny.js";
import { FakeModel, type FakeReply } from "./fake-model.js";
import { allKeys, keysOf, readOutput, writeSums } from "./runs.js";

interface Place {
  readonly input: string;
  readonly output: string;
  readonly folder: string;
}

const inFolder = (use: (place: Place) => Promise<void>): Promise<void> =>
  withFolder((folder) =>
    use({ folder, input: join(folder, "in.jsonl"), output: join(folder, "out.jsonl") }),
  );

const answering = (reply: (prompt: string) => FakeReply = () => "x"): FakeModel =>
  new FakeModel(({ prompt }) => reply(prompt));

const runOf = (
  model: FakeModel,
  place: Place,
  options: Partial<BatchFileOptions> = {},
): ReturnType<typeof runBatchFile> =>
  runBatchFile(model.model, { input: place.input, output: place.output, ...options });

describe("an output", () => {
  it("gets a record for each sample, and a second run has nothing to do", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 30);
      const first = await runOf(answering(), place, { samples: 2 });
      expect(first).toMatchObject({ total: 60, done: 60, before: 0, failed: 0, isNothing: false });
      expect(keysOf(readOutput(place.output))).toEqual(allKeys(30, 2));
      const before = readFileSync(place.output);
      const model = answering();
      const again = await runOf(model, place, { samples: 2 });
      expect(again).toMatchObject({ total: 60, done: 60, before: 60, isNothing: true });
      expect(model.calls).toHaveLength(0);
      expect(readFileSync(place.output).equals(before)).toBe(true);
      expect(existsSync(join(place.folder, "out.lock"))).toBe(false);
    });
  });

  it("has no record and no file where the input is wrong or empty", async () => {
    await inFolder(async (place) => {
      writeFileSync(place.input, "{bad\n");
      await expect(runOf(answering(), place)).rejects.toMatchObject({ code: "INPUT_INVALID" });
      writeFileSync(place.input, "\n");
      expect(await runOf(answering(), place)).toMatchObject({ isNothing: true, total: 0 });
      expect(existsSync(place.output)).toBe(false);
    });
  });

  it("never is the input, by a link of either kind", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 3);
      const before = readFileSync(place.input);
      symlinkSync(place.input, place.output);
      await expect(runOf(answering(), place)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      const hard = join(place.folder, "hard.jsonl");
      linkSync(place.input, hard);
      await expect(runOf(answering(), { ...place, output: hard })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
      expect(readFileSync(place.input).equals(before)).toBe(true);
    });
  });

  it("of another model or other options is refused with what differs, unless that is allowed", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 4);
      const half = answering((prompt) => (prompt.includes("3+3") ? { code: "DISPOSED" } : "x"));
      await expect(runOf(half, place, { temperature: 0.5 })).rejects.toMatchObject({
        code: "DISPOSED",
      });
      await expect(runOf(answering(), place, { temperature: 0.6 })).rejects.toMatchObject({
        code: "RUN_MISMATCH",
        message: expect.stringContaining("temperature was 0.5 and is 0.6") as string,
      });
      const other = answering();
      Object.assign(other.info, { vocabSize: 11 });
      await expect(runOf(other, place, { temperature: 0.5 })).rejects.toMatchObject({
        code: "RUN_MISMATCH",
        message: expect.stringContaining("the model was") as string,
      });
      const allowed = { temperature: 0.6, allowChange: true };
      expect(await runOf(other, place, allowed)).toMatchObject({ done: 4 });
      expect(keysOf(readOutput(place.output))).toEqual(allKeys(4));
    });
  });

  it("keeps errors in a file beside it, and tries their rows again on request only", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 10);
      const bad = answering((prompt) =>
        prompt.includes("4+4") ? { code: "PROMPT_TOO_LONG" } : "x",
      );
      expect(await runOf(bad, place)).toMatchObject({ done: 10, failed: 1 });
      const errors = join(place.folder, "out.errors.jsonl");
      const [line] = readFileSync(errors, "utf8").trimEnd().split("\n");
      expect(JSON.parse(line ?? "")).toMatchObject({
        custom_id: "q4",
        sample: 0,
        response: null,
        error: { code: "PROMPT_TOO_LONG" },
      });
      expect(await runOf(answering(), place)).toMatchObject({ isNothing: true });
      expect(await runOf(answering(), place, { retryErrors: true })).toMatchObject({ failed: 0 });
      expect(keysOf(readOutput(place.output))).toEqual(allKeys(10));
      expect(existsSync(errors)).toBe(false);
    });
  });

  it("with a broken line in the middle is refused, and repaired on request", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 10);
      await runOf(answering(), place);
      const lines = readFileSync(place.output, "utf8").split("\n");
      lines[3] = (lines[3] ?? "").slice(0, 40);
      writeFileSync(place.output, lines.join("\n"));
      await expect(runOf(answering(), place)).rejects.toMatchObject({
        code: "JOURNAL_INVALID",
        details: { line: 4 },
      });
      const notices: string[] = [];
      const onNotice = (text: string): void => void notices.push(text);
      await runOf(answering(), place, { repair: true, onNotice });
      expect(notices.join()).toContain("1 broken line");
      expect(await batchStats(place.output)).toMatchObject({ records: 10, ids: 10 });
    });
  });

  it("may be of OpenAI's lines, and goes on as well", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 6);
      const options = { format: "openai", samples: 2 } as const;
      const half = answering((prompt) => (prompt.includes("5+5") ? { code: "DISPOSED" } : "x"));
      await expect(runOf(half, place, options)).rejects.toMatchObject({ code: "DISPOSED" });
      await runOf(answering(), place, options);
      const lines = readFileSync(place.output, "utf8").trimEnd().split("\n");
      const keys = lines.map((line) => {
        const { custom_id, response } = JSON.parse(line) as {
          custom_id: string;
          response: { body: { choices: { index: number }[] } };
        };
        return `${custom_id}#${response.body.choices[0]?.index}`;
      });
      expect(keys.sort()).toEqual(allKeys(6, 2));
    });
  });

  it("is written until K results of each row are verified, and over restarts no sample is asked twice", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 8);
      const asked: string[] = [];
      let left = 12;
      const verify = (
        _row: unknown,
        { id, sample, seed }: { id: string; sample: number; seed: number },
      ): boolean => {
        asked.push(`${id}#${sample}`);
        return seed % 3 === 0;
      };
      const options = { untilVerified: 2, maxSamples: 12, verify };
      const mortal = answering(() => (left-- > 0 ? "x" : { code: "DISPOSED" }));
      await expect(runOf(mortal, place, options)).rejects.toMatchObject({ code: "DISPOSED" });
      await runOf(answering(), place, options);
      const lines = readOutput(place.output) as unknown as { id: string; verified: boolean }[];
      expect(asked.sort()).toEqual(keysOf(readOutput(place.output)));
      for (let i = 0; i < 8; i++) {
        const own = lines.filter(({ id }) => id === `q${i}`);
        const passed = own.filter(({ verified }) => verified).length;
        expect(passed === 2 || own.length === 12, `q${i}`).toBe(true);
      }
    });
  });

  it("takes a verifier out of a module, in a process that is ended when a call takes too long", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 3);
      const verify = join(place.folder, "verify.mjs");
      writeFileSync(
        verify,
        "export default async (row, result) => { if (row.id === 'q1') for (;;); return row.id === 'q2' && result.answer === 'x'; };\n",
      );
      await runOf(answering(), place, { verify, verifyTimeoutMs: 1000 });
      const lines = readOutput(place.output) as unknown as Record<string, unknown>[];
      const said = new Map(lines.map((line) => [line["id"], line]));
      expect(said.get("q0")).toMatchObject({ verified: false });
      expect(said.get("q1")?.["verify_error"]).toContain("more than 1000 ms");
      expect(said.get("q2")).toMatchObject({ verified: true });
      const missing = join(place.folder, "none.mjs");
      const other = { ...place, output: join(place.folder, "other.jsonl") };
      await expect(runOf(answering(), other, { verify: missing })).rejects.toMatchObject({
        code: "FILE_NOT_FOUND",
        message: `The file "${missing}" does not exist. Check the path.`,
      });
    });
  });
});

describe("shards", () => {
  it("part the rows, and their outputs merge into one", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 40);
      const outputs = [1, 2, 3].map((i) => join(place.folder, `out-${i}.jsonl`));
      for (const [i, output] of outputs.entries())
        await runOf(answering(), { ...place, output }, { shard: `${i + 1}/3`, samples: 2 });
      const sizes = outputs.map((output) => readOutput(output).length);
      expect(Math.min(...sizes)).toBeGreaterThan(8);
      const merged = await mergeBatches(outputs, place.output);
      expect(merged).toMatchObject({ records: 80, repeated: 0, different: 0 });
      expect(keysOf(readOutput(place.output))).toEqual(allKeys(40, 2));
      // The merged output is one that a run can go on with.
      expect(await runOf(answering(), place, { samples: 2 })).toMatchObject({ isNothing: true });
      const twice = await mergeBatches(
        [outputs[0] ?? "", place.output],
        join(place.folder, "t.jsonl"),
      );
      expect(twice).toMatchObject({ records: 80, repeated: sizes[0], different: 0 });
    });
  });

  it("report samples that differ, and keep the first", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 3);
      const outputs = ["a", "b"].map((name) => join(place.folder, `${name}.jsonl`));
      for (const output of outputs)
        await runOf(
          answering(() => output.slice(-7)),
          { ...place, output },
        );
      const merged = await mergeBatches(outputs, place.output);
      expect(merged).toMatchObject({ records: 3, repeated: 0, different: 3 });
      expect(readOutput(place.output).every(({ answer }) => answer === "a.jsonl".slice(-7))).toBe(
        true,
      );
    });
  });
});

describe("an export", () => {
  it("has the order of the input or of ids, and any of its formats", async () => {
    await inFolder(async (place) => {
      writeSums(place.input, 12);
      await runOf(answering(), place, { samples: 2 });
      const target = (name: string): string => join(place.folder, name);
      await exportBatch(place.output, target("a.jsonl"), { order: "input" });
      expect(readOutput(target("a.jsonl")).map(({ id, sample }) => `${id}#${sample}`)).toEqual(
        Array.from({ length: 24 }, (_, i) => `q${i >> 1}#${i & 1}`),
      );
      await exportBatch(place.output, target("b.csv"), { order: "id" });
      const csv = readFileSync(target("b.csv"), "utf8").trimEnd().split("\n");
      expect(csv).toHaveLength(25);
      expect(csv[0]).toContain("id,sample,prompt,reasoning,answer,finish_reason");
      expect((await exportBatch(place.output, target("c.parquet"))).records).toBe(24);
      expect(readFileSync(target("c.parquet")).subarray(0, 4).toString()).toBe("PAR1");
      await exportBatch(place.output, target("d.jsonl"), { chat: "answer" });
      const [chat] = readFileSync(target("d.jsonl"), "utf8").split("\n");
      expect(JSON.parse(chat ?? "")).toMatchObject({
        messages: [{ role: "user" }, { role: "assistant", content: "x" }],
      });
      await expect(exportBatch(place.output, target("d.jsonl"))).rejects.toMatchObject({
        code: "FILE_EXISTS",
      });
      const stats = await batchStats(place.output);
      expect(stats).toMatchObject({ records: 24, ids: 12, ends: [{ reason: "stop", share: 1 }] });
      expect(lengthPlot(stats)).toMatch(/^<svg .*<\/svg>\n$/s);
    });
  });
});

describe("a disk", () => {
  it("whose sync fails ends the run at once, and what was not synced does not count", async () => {
    await inFolder(async (place) => {
      const [source, library] = [join(place.folder, "fail.c"), join(place.folder, "fail.so")];
      writeFileSync(
        source,
        `#include <errno.h>
#include <unistd.h>
static int calls = 0;
int fdatasync(int fd) { (void)fd; if (++calls > 5) { errno = EIO; return -1; } return 0; }
`,
      );
      const built = spawnSync("cc", ["-shared", "-fPIC", "-o", library, source]);
      expect(built.status, String(built.stderr)).toBe(0);
      writeSums(place.input, 40);
      const script = `
        import { Journal } from ${JSON.stringify(new URL("../../dist/batch/journal.js", import.meta.url).href)};
        const journal = await Journal.open(${JSON.stringify(place.output)});
        let done = 0;
        for (let i = 0; i < 20; i++) {
          try { await journal.append(JSON.stringify({ id: "q" + i, sample: 0 })); done++; }
          catch (error) { console.log(done, error.code, error.message); break; }
        }
        await journal.append("{}").catch((error) => console.log("again", error.code));
        await journal.close();
      `;
      const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
        env: { ...process.env, LD_PRELOAD: library },
        encoding: "utf8",
      });
      expect(ran.stdout, ran.stderr).toMatch(/^5 IO_FAILED .*could not be brought to the disk/);
      expect(ran.stdout).toContain("again IO_FAILED");
      expect(readOutput(place.output)).toHaveLength(5);
    });
  });
});
