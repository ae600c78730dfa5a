// Changes the headers of small models as a damaged or hostile file would have them, and loads and
// asks each. A file may be refused or answered; it must not end or hold up the process that loads
// it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { writeMutant } from "./headers/mutants.mjs";
import { randomOf } from "./random.mjs";

const DRIVER = fileURLToPath(new URL("headers/driver.mjs", import.meta.url));

/**
 * An ordinary answer comes within a second; the trial's own deadline is 30 s. Unit: milliseconds.
 */
const LIMIT_MS = 90_000;

/** A process that loads one file after the other. */
class Driver {
  #child;
  #answers;

  /** @param cache - Its own folder for remembered trials, which would fill the user's. */
  constructor(cache) {
    this.#child = spawn(process.execPath, [DRIVER], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, XDG_CACHE_HOME: cache },
    });
    this.#child.stdin.on("error", () => undefined);
    this.errors = "";
    this.#child.stderr.on("data", (text) => (this.errors = (this.errors + text).slice(-2000)));
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => {
      this.#child.on("close", (code, signal) => resolve({ died: `${signal ?? code}` }));
    });
  }

  /** Loads and asks one file; `number` decides the options of the load. */
  async ask(path, number) {
    this.#child.stdin.write(`${number} ${path}\n`);
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve({ hung: true }), LIMIT_MS);
    });
    const answer = this.#answers
      .next()
      .then(({ value, done }) => (done === true ? this.ended : { said: value }));
    const result = await Promise.race([answer, late]);
    clearTimeout(timer);
    return result;
  }

  async stop() {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}

export async function fuzz({ seed, isOver }) {
  const folder = mkdtempSync(join(tmpdir(), "r1-headers-"));
  const failures = [];
  const outcomes = new Map();
  let tried = 0;
  const work = async (worker) => {
    const cache = join(folder, `cache-${worker}`);
    let driver = new Driver(cache);
    const path = join(folder, `mutant-${worker}.gguf`);
    while (!isOver(tried)) {
      // Each input has a stream of its own: a seed repeats a run however its inputs are spread.
      const number = tried++;
      const what = `#${number}: ${writeMutant(path, randomOf(seed, number))}`;
      const { said, died, hung } = await driver.ask(path, number);
      if (said === undefined || said.includes("PLAIN")) {
        const words = /GGML_ASSERT[^\n]*|terminate called[^\n]*/.exec(driver.errors)?.[0] ?? "";
        failures.push(`${what}: ${hung ? "no answer" : (said ?? `died (${died})`)} ${words}`);
      }
      if (said === undefined) {
        await driver.stop();
        driver = new Driver(cache);
      } else {
        const kind = said.split(" ")[0];
        outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
      }
      if (tried % 100 === 0) rmSync(cache, { recursive: true, force: true });
    }
    await driver.stop();
  };
  try {
    await Promise.all(
      Array.from({ length: Math.min(4, availableParallelism()) }, (_, i) => work(i)),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const note = [...outcomes].map(([kind, count]) => `${kind} ${count}`).join(", ");
  return { tried, failures, note };
}
