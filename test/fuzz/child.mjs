// Tries inputs in child processes, because an input may end or hold up the process it is tried in.
// The program that runs there is child-driver.mjs.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const DRIVER = fileURLToPath(new URL("child-driver.mjs", import.meta.url));

class Child {
  #process;
  #answers;

  constructor(program, seed, env) {
    this.#process = spawn(process.execPath, ["--expose-gc", DRIVER, program, `${seed}`], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.#process.stdin.on("error", () => undefined);
    this.errors = "";
    this.#process.stderr.on("data", (text) => (this.errors = (this.errors + text).slice(-2000)));
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => {
      this.#process.on("close", (code, signal) => resolve({ died: `${signal ?? code}` }));
    });
  }

  async ask(line, limitMs) {
    this.#process.stdin.write(`${line}\n`);
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve({ hung: true }), limitMs);
    });
    const answer = this.#answers
      .next()
      .then(({ value, done }) => (done === true ? this.ended : JSON.parse(value)));
    const result = await Promise.race([answer, late]);
    clearTimeout(timer);
    return result;
  }

  async stop() {
    this.#process.kill("SIGKILL");
    await this.ended;
  }
}

/**
 * Tries inputs 0, 1, ... until `isOver`.
 *
 * @param program - URL of a module that exports `prepare(seed)`, which resolves with
 * `{ attempt, finish }`: `attempt(number)` resolves with `{ kind, wrong }` (`wrong`: what failed,
 * or undefined), `finish()` with what is wrong after all inputs.
 * @returns what a fuzzer returns.
 */
export async function tryInChildren({ program, seed, isOver, limitMs = 60_000, env = {} }) {
  const failures = [];
  const kinds = new Map();
  let tried = 0;
  const work = async () => {
    let child = new Child(program, seed, env);
    while (!isOver(tried)) {
      const number = tried++;
      const { kind, wrong, died, hung } = await child.ask(`${number}`, limitMs);
      const problem = died !== undefined ? `died (${died})` : hung ? "no answer" : wrong;
      if (problem !== undefined && problem !== null)
        failures.push(`#${number}: ${problem} ${died === undefined ? "" : child.errors.trim()}`);
      if (kind === undefined) {
        if (kinds.size === 0) throw new Error(`the first input failed: ${failures.at(-1)}`);
        await child.stop();
        child = new Child(program, seed, env);
      } else kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    const last = await child.ask("end", limitMs);
    for (const problem of last.wrong ?? [`at the end: ${last.died ?? "no answer"}`])
      failures.push(problem);
    await child.stop();
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
  const note = [...kinds]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(", ");
  return { tried, failures, note };
}

/**
 * What an attempt returns for an error: typed errors are right, but for the one that means a fault
 * here.
 */
export function outcomeOf(error, isR1Error) {
  if (isR1Error(error, "INTERNAL"))
    return { kind: "INTERNAL", wrong: `INTERNAL: ${error.message}` };
  if (isR1Error(error)) return { kind: error.code };
  return {
    kind: "PLAIN",
    wrong: `not an R1Error: ${String(error?.stack ?? error).replaceAll("\n", " | ")}`,
  };
}
