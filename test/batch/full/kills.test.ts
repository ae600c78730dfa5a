// 2,000 rows and 60 SIGKILLs at random moments: every id once, and little computed twice.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { run, start } from "../../cli/program.js";
import { withFolder } from "../../fixtures/tiny.js";
import { allKeys, keysOf, QUICK, readOutput, writeSums } from "../runs.js";

const ROWS = 2000;
const KILLS = 60;
const SEQUENCES = 4;

it(`has each of ${ROWS} ids once after up to ${KILLS} SIGKILLs, over two outputs`, async () => {
  await withFolder(async (folder) => {
    const input = join(folder, "in.jsonl");
    writeSums(input, ROWS);
    for (const name of ["a", "b"]) {
      const [output, log] = [join(folder, `${name}.jsonl`), join(folder, `${name}.log`)];
      const verify = join(folder, `${name}.mjs`);
      // A verifier is asked about each row that was computed: its log shows what was computed twice.
      writeFileSync(log, "");
      writeFileSync(
        verify,
        `import { appendFileSync } from "node:fs";
         export default (row) => (appendFileSync(${JSON.stringify(log)}, row.id + "\\n"), true);`,
      );
      const args = ["batch", input, output, ...QUICK, "-np", String(SEQUENCES)];
      args.push("--verify", verify, "--json-progress");
      let kills = 0;
      while (kills < KILLS / 2) {
        const { child, stderr, ended } = start(args);
        // Every third kill hits the start, the others rows that run.
        // The last rows may be done before any progress is told.
        if (kills % 3 !== 0) await stderr.until(/"event":"(?:progress|summary)"/);
        await sleep(Math.random() * 1200);
        child.kill("SIGKILL");
        const { signal, code, stderr: said } = await ended;
        expect(signal === "SIGKILL" || code === 0, said).toBe(true);
        if (code === 0) break;
        kills++;
      }
      expect(kills).toBeGreaterThan(KILLS / 6);
      const last = await run(args);
      expect(last.code, last.stderr).toBe(0);
      expect(keysOf(readOutput(output))).toEqual(allKeys(ROWS));
      const computed = readFileSync(log, "utf8").trimEnd().split("\n").length;
      expect(computed - ROWS).toBeLessThanOrEqual(kills * 2 * SEQUENCES);
      console.log(`${name}: ${kills} kills, ${computed - ROWS} rows computed again`);
    }
  });
});
