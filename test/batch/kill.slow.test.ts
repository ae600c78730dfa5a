// A batch that is killed at any moment and started again: nothing is lost, nothing stands twice.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { run, start } from "../cli/program.js";
import { withFolder } from "../fixtures/tiny.js";
import { allKeys, keysOf, QUICK, readOutput, writeSums } from "./runs.js";

it("has every id and sample once after six SIGKILLs", async () => {
  await withFolder(async (folder) => {
    const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")];
    writeSums(input, 60);
    const args = ["batch", input, output, ...QUICK, "--samples", "2"];
    for (let kill = 0; kill < 6; kill++) {
      const { child, ended } = start(args);
      await sleep(500 + kill * 130);
      child.kill("SIGKILL");
      await ended;
    }
    const last = await run(args);
    expect(last.code, last.stderr).toBe(0);
    const lines = readOutput(output);
    expect(keysOf(lines)).toEqual(allKeys(60, 2));
    // Seeds follow from ids, whatever was killed: another output has the same ones.
    const other = join(folder, "other.jsonl");
    expect((await run(["batch", input, other, ...QUICK, "--samples", "2"])).code).toBe(0);
    const seeds = (all: typeof lines): string[] =>
      all.map(({ id, sample, seed }) => `${id}#${sample} ${seed}`).sort();
    expect(seeds(readOutput(other))).toEqual(seeds(lines));
  });
});

it("ends a second runner at once with the holder's process", async () => {
  await withFolder(async (folder) => {
    const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")];
    // More than the first can do while the second starts.
    writeSums(input, 5000);
    const first = start(["batch", input, output, ...QUICK, "--json-progress"]);
    await first.stderr.until(/"event":"progress"/);
    const second = await run(["batch", input, output, ...QUICK]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`process ${first.child.pid}`);
    expect(second.stderr).toContain("FILE_BUSY");
    first.child.kill("SIGKILL");
    await first.ended;
  });
});
