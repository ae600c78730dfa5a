// Asks upstream's own llama-completion, of the same tree and build, which token ids it chooses;
// starts one process a question, from the test process.
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const program = join(
  process.env["R1_UPSTREAM_BIN"] ?? here("../../build-native/bin"),
  "llama-completion",
);
const run = promisify(execFile);

/**
 * On a CPU with AMX upstream repacks what it then cannot multiply by, and ends with an assertion;
 * this library repacks no MLA file there either.
 */
const LAYOUT =
  existsSync("/proc/cpuinfo") && readFileSync("/proc/cpuinfo", "utf8").includes(" amx_int8")
    ? ["--no-repack"]
    : [];

/** What upstream did with one prompt. */
export interface Trace {
  /** Ids of the prompt, BOS included. */
  readonly prompt: number[];
  /** Ids it generated, the ending one included. */
  readonly tokens: number[];
}

/** One run of llama-completion. */
export interface Question {
  readonly file: string;
  readonly prompt: string;
  /** `-n`; -1: until an end token or a full context. */
  readonly maxTokens: number;
  /** Further flags: sampling, cache types, context. */
  readonly flags: readonly string[];
}

/**
 * Runs llama-completion with a small library in front that notes every token its sampler accepts
 * (trace-tokens.cpp). Its printed text would not do: text does not tell ids, and the program now
 * and then exits before its log thread has written the last of it.
 */
export class Oracle {
  readonly #folder = mkdtempSync(join(tmpdir(), "r1-parity-"));
  readonly #library = join(this.#folder, "trace-tokens.so");
  #asked = 0;

  constructor() {
    if (!existsSync(program))
      throw new Error(`${program} is missing: build it with "npm run build:tools".`);
    execFileSync(process.env["CXX"]?.split(" ")[0] ?? "c++", [
      "-std=c++17",
      "-O1",
      "-shared",
      "-fPIC",
      "-o",
      this.#library,
      here("trace-tokens.cpp"),
      "-ldl",
    ]);
  }

  /** The same prompt and flags, upstream. */
  async ask({ file, prompt, maxTokens, flags }: Question): Promise<Trace> {
    const trace = join(this.#folder, `${this.#asked++}.trace`);
    const fixed = [
      "-m",
      file,
      "-no-cnv",
      "-fit",
      "off",
      "--no-escape",
      "--no-display-prompt",
      "--log-disable",
      ...LAYOUT,
    ];
    // A clean environment: LLAMA_ARG_* variables and a user's configuration file are flags too.
    // Threads that wait give their core up: spinning ones take minutes where other programs have
    // the cores.
    const env = {
      PATH: process.env["PATH"],
      HOME: this.#folder,
      GOMP_SPINCOUNT: "0",
      LD_PRELOAD: this.#library,
      R1_TRACE_FILE: trace,
    };
    const asked = run(program, [...fixed, "-n", String(maxTokens), ...flags, "-p", prompt], {
      env,
      encoding: "buffer",
    });
    asked.child.stdin?.end();
    await asked;
    const bytes = readFileSync(trace);
    rmSync(trace);
    const records = Array.from({ length: bytes.length / 8 }, (_, i) => ({
      id: bytes.readInt32LE(i * 8),
      generated: bytes.readInt32LE(i * 8 + 4) === 1,
    }));
    return {
      prompt: records.filter((r) => !r.generated).map((r) => r.id),
      tokens: records.filter((r) => r.generated).map((r) => r.id),
    };
  }

  /**
   * Many questions, answers in order; `processes` at a time (more threads than cores would spin
   * waiting for each other).
   */
  async askAll(questions: readonly Question[], processes: number): Promise<Trace[]> {
    const answers = new Array<Trace>(questions.length);
    let next = 0;
    const work = async (): Promise<void> => {
      for (let i = next++; i < questions.length; i = next++)
        answers[i] = await this.ask(questions[i]!);
    };
    await Promise.all(Array.from({ length: processes }, work));
    return answers;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
