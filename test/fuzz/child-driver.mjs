// The program that tries inputs for child.mjs: `child-driver.mjs MODULE SEED`, numbers of inputs as
// lines on standard input, one line of JSON for each on standard output.
import { createInterface } from "node:readline";

const [, , program, seed] = process.argv;
const { attempt, finish } = await (await import(program)).prepare(Number(seed));
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = line === "end" ? { kind: "end", wrong: await finish() } : await attempt(Number(line));
  } catch (error) {
    const text = `the attempt threw ${String(error?.stack ?? error).replaceAll("\n", " | ")}`;
    answer = { kind: "FUZZER", wrong: line === "end" ? [text] : text };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  if (line === "end") break;
}
