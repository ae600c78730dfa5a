// A disk that is full ends the run with NO_SPACE, and the run goes on when there is room.
import { spawnSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { program, run } from "../../cli/program.js";
import { withFolder } from "../../fixtures/tiny.js";
import { allKeys, keysOf, QUICK, readOutput, writeSums } from "../runs.js";

const ROWS = 2400;

const mount = (...args: readonly string[]): boolean => spawnSync("mount", args).status === 0;

it("ends with NO_SPACE on a file system of 1 MiB, and goes on when it has grown", async () => {
  await withFolder(async (folder) => {
    const [input, disk] = [join(folder, "in.jsonl"), join(folder, "disk")];
    mkdirSync(disk);
    writeSums(input, ROWS);
    const output = join(disk, "out.jsonl");
    const args = ["batch", input, output, ...QUICK.slice(0, 4), "-n", "6", "-c", "2048"];
    // Without the right to mount, a limit on the size of files stands in for the disk.
    const isMounted = mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", disk);
    try {
      const quoted = [process.execPath, program, ...args].map((word) => `'${word}'`).join(" ");
      const limit = isMounted ? "" : "ulimit -f 1024; ";
      const first = spawnSync("bash", ["-c", `${limit}${quoted}`], { encoding: "utf8" });
      expect(first.status, first.stderr).toBe(1);
      expect(first.stderr).toContain("NO_SPACE");
      // Nothing half is left behind, and what is there counts.
      const before = readOutput(output).length;
      expect(before).toBeGreaterThan(500);
      expect(statSync(output).size).toBeLessThanOrEqual(1024 * 1024);
      if (isMounted) expect(mount("-o", "remount,size=64m", disk)).toBe(true);
      const second = await run(args);
      expect(second.code, second.stderr).toBe(0);
      expect(second.stderr).toContain(`${before} of them before`);
      expect(keysOf(readOutput(output))).toEqual(allKeys(ROWS));
    } finally {
      if (isMounted) spawnSync("umount", [disk]);
    }
  });
});
