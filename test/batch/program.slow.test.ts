// `r1-native batch` as a person uses it: Ctrl-C, wrong rows, the commands for afterwards.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run, start } from "../cli/program.js";
import { withFolder } from "../fixtures/tiny.js";
import { allKeys, keysOf, QUICK, readOutput, writeSums } from "./runs.js";

/** More than are done before Ctrl-C comes. */
const ROWS = 1000;

it("ends on Ctrl-C with 130, a whole output and the command to go on, which does", async () => {
  await withFolder(async (folder) => {
    const [input, output] = [join(folder, "in put.jsonl"), join(folder, "out.jsonl")];
    writeSums(input, ROWS);
    const args = ["batch", input, output, ...QUICK];
    const { child, stderr, ended } = start([...args, "--json-progress"]);
    await stderr.until(/"event":"progress"/);
    child.kill("SIGINT");
    const first = await ended;
    expect(first.code, first.stderr).toBe(130);
    const notice = JSON.parse(first.stderr.trimEnd().split("\n").at(-1) ?? "") as { text: string };
    expect(notice.text).toContain(`r1-native batch '${input}' ${output}`);
    const before = readOutput(output).length;
    expect(before).toBeLessThan(ROWS);
    const second = await run(args);
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).toContain(`${ROWS} of ${ROWS} done`);
    expect(keysOf(readOutput(output))).toEqual(allKeys(ROWS));
    const third = await run(args);
    expect(third.stderr).toContain("nothing to do");
    expect(third.code).toBe(0);
  });
});

it("lists wrong rows, writes nothing and ends with 2", async () => {
  await withFolder(async (folder) => {
    const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")];
    writeFileSync(input, '{"prompt":"a","temprature":1}\n{"id":"x","prompt":"b"}\nno\n');
    const { code, stderr } = await run(["batch", input, output, ...QUICK]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/line 1: "temprature" .*Did you mean "temperature"/);
    expect(stderr).toContain("line 3: is not JSON");
    expect(existsSync(output)).toBe(false);
  });
});

it("refuses an output beside --queue, and asks for one without", async () => {
  const both = await run(["batch", "in.jsonl", "out.jsonl", "--queue", "redis://127.0.0.1:1"]);
  expect(both.code).toBe(2);
  expect(both.stderr).toContain('Expected no <output> beside --queue but received "out.jsonl"');
  const none = await run(["batch", "in.jsonl"]);
  expect(none.code).toBe(2);
  expect(none.stderr).toContain("<output> is missing");
});

it("says when a verifier passed nothing or failed, and what an export left out", async () => {
  await withFolder(async (folder) => {
    const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")];
    writeSums(input, 2);
    const verify = join(folder, "verify.mjs");
    writeFileSync(verify, "export default () => 'yes';\n");
    const ran = await run(["batch", input, output, ...QUICK, "--verify", verify]);
    expect(ran.stderr).toContain("0 verified; the verifier failed on 2, see verify_error");
    const target = join(folder, "set.jsonl");
    const none = await run(["batch", "export", output, target, "--verified"]);
    expect(none.stderr).toContain(`wrote 0 records to ${target}; 2 left out by --verified\n`);
    const sheet = await run(["batch", "export", output, join(folder, "t.xlsx")]);
    expect(sheet.stderr).toContain("Expected a name that ends in .jsonl, .csv or .parquet");
    expect(sheet.code).toBe(2);
  });
});

it("shows lengths and exports, and answers a question out of any column", async () => {
  await withFolder(async (folder) => {
    const [input, output] = [join(folder, "in.csv"), join(folder, "out.jsonl")];
    writeFileSync(input, "id,problem,level\na,What is 1+1?,easy\nb,What is 12+30?,hard\n");
    const ran = await run(["batch", input, output, ...QUICK, "--map", "prompt=problem,id=id"]);
    expect(ran.code, ran.stderr).toBe(0);
    const shown = await run(["batch", "stats", output, "--plot", join(folder, "p.svg")]);
    expect(shown.stdout).toMatch(/2 results of 2 rows/);
    expect(readFileSync(join(folder, "p.svg"), "utf8")).toMatch(/^<svg /);
    const target = join(folder, "t.csv");
    const exported = await run(["batch", "export", output, target, "--order", "input"]);
    expect(exported.stderr).toContain("wrote 2 records");
    const [names, first] = readFileSync(target, "utf8").split("\n");
    expect(names).toContain("level");
    expect(first).toMatch(/^a,0,/);
    const merged = await run(["batch", "merge", output, output, join(folder, "m.jsonl")]);
    expect(merged.stderr).toContain("wrote 2 records");
    expect((await run(["batch", "merge", output])).code).toBe(2);
  });
});
