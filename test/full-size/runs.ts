// The two programs of the full-size test, each in a process of its own, watched from outside: when
// it was ready, how fast it answered, what memory it held. Runs on the test's thread.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { tool } from "../fixtures/gguf-tools.js";

export const PROMPT = "<｜User｜>What is 1+1?<｜Assistant｜>";

/** What a process held at most. Unit: bytes. */
export interface Peak {
  /** Memory of its own, which no file can bring back. */
  anonymous: number;
  /** With pages of the model's file, of which the system takes back what it needs elsewhere. */
  resident: number;
}

/** What one run came to. */
export interface Run {
  readonly code: number | null;
  /** From the start of the process until a prompt could be taken in, warm-up included. */
  readonly readyMs: number;
  /** What all its threads together had computed by then. */
  readonly readyCpuMs: number;
  readonly promptTokensPerSecond: number;
  readonly tokensPerSecond: number;
  readonly text: string;
  readonly peak: Peak;
}

/** Writes the shape into a folder as sparse files, and gives the first one's path. */
export async function writeFullSize(folder: string): Promise<string> {
  const paths = await SHAPES["r1-full-sparse"](join(folder, "DeepSeek-R1-UD-IQ1_S.gguf"));
  const onDisk = paths.reduce((sum, path) => sum + statSync(path).blocks * 512, 0);
  if (onDisk > 100 * 2 ** 20)
    throw new Error(
      `${folder} is on a file system without sparse files: set R1_FULL_SIZE_DIR to a folder on one that has them`,
    );
  return paths[0] ?? "";
}

/** A folder for the files, that `R1_FULL_SIZE_DIR` may place. */
export function fullSizeFolder(): string {
  return mkdtempSync(join(process.env["R1_FULL_SIZE_DIR"] ?? tmpdir(), "r1-full-size-"));
}

/** The first line of a kind; throws if there is none. */
export function firstOf(told: readonly Told[], event: Told["event"]): Told {
  const found = told.find((one) => one.event === event);
  if (found === undefined)
    throw new Error(
      `the run never told of "${event}"; it told of ${told.at(-1)?.event ?? "nothing"} last`,
    );
  return found;
}

/** One line of `driver.mjs`. */
export interface Told {
  readonly event: "progress" | "ready" | "text" | "answer" | "closed" | "second load" | "end";
  readonly ms: number;
  readonly [fact: string]: unknown;
}

const SAMPLE_MS = 200;

/** Processor time of all threads of a process, until now; ticks of 10 ms as Linux counts them. */
function cpuMs(child: ChildProcess): number {
  const [utime, stime] = readFileSync(`/proc/${child.pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ")
    .slice(11, 13);
  return (Number(utime) + Number(stime)) * 10;
}

/** Looks at a process's memory until it is gone. */
function watch(child: ChildProcess): { peak: Peak } {
  const peak = { anonymous: 0, resident: 0 };
  const look = (): void => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      const kib = (name: string): number =>
        Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
      peak.anonymous = Math.max(peak.anonymous, kib("RssAnon") * 1024);
      peak.resident = Math.max(peak.resident, kib("VmHWM") * 1024);
    } catch {
      // It has just ended.
    }
  };
  const timer = setInterval(look, SAMPLE_MS);
  child.once("close", () => clearInterval(timer));
  return { peak };
}

async function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  });
}

/** llama.cpp's `--prio` by name. */
const PRIORITIES = ["normal", "medium", "high", "realtime"];

/**
 * llama-completion with the documented command's options, and the priority by name; on a file with
 * multi-head latent attention V has to have K's type.
 */
export async function runUpstream(path: string, threads: number, priority: string): Promise<Run> {
  const level = String(PRIORITIES.indexOf(priority));
  const flags = [
    "--model",
    path,
    "--cache-type-k",
    "q4_0",
    "--cache-type-v",
    "q4_0",
    "-no-cnv",
    "--prio",
    level,
    "--temp",
    "0.6",
    "--ctx-size",
    "8192",
  ];
  const others = [
    "--seed",
    "3407",
    "-n",
    "3",
    "-t",
    String(threads),
    "-fit",
    "off",
    "--ignore-eos",
    "--no-display-prompt",
    "--prompt",
    PROMPT,
  ];
  const start = performance.now();
  const child = spawn(tool("llama-completion"), [...flags, ...others], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { peak } = watch(child);
  let [readyMs, readyCpuMs, text, log] = [0, 0, "", ""];
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  createInterface({ input: child.stderr }).on("line", (line) => {
    log += `${line}\n`;
    // The first line it writes once the warm-up is over.
    if (readyMs === 0 && line.includes("system_info:"))
      [readyMs, readyCpuMs] = [performance.now() - start, cpuMs(child)];
  });
  const code = await ended(child);
  const rate = (name: string): number => {
    const [, ms, count] =
      new RegExp(`\\b${name} time =\\s+([\\d.]+) ms /\\s+(\\d+)`).exec(
        log.replaceAll("prompt eval", "prompt_eval"),
      ) ?? [];
    return (1000 * Number(count)) / Number(ms);
  };
  return {
    code,
    readyMs,
    readyCpuMs,
    promptTokensPerSecond: rate("prompt_eval"),
    tokensPerSecond: rate("eval"),
    text: text.trim(),
    peak,
  };
}

/** r1-native by `driver.mjs`, in one of its two ways. */
export async function runOurs(
  path: string,
  mode: "answer" | "load",
  threads: number,
): Promise<Run & { told: readonly Told[] }> {
  const driver = fileURLToPath(new URL("driver.mjs", import.meta.url));
  const start = performance.now();
  const child = spawn(process.execPath, [driver, path, mode, PROMPT, String(threads)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { peak } = watch(child);
  const told: Told[] = [];
  let [readyMs, readyCpuMs] = [0, 0];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const one = JSON.parse(line) as Told;
    told.push(one);
    if (one.event === "ready") [readyMs, readyCpuMs] = [performance.now() - start, cpuMs(child)];
  });
  const code = await ended(child);
  const answer = told.find(({ event }) => event === "answer") as unknown as
    | {
        text: string;
        usage: { promptTokens: number; completionTokens: number };
        timings: { promptMs: number; decodeMs: number };
      }
    | undefined;
  return {
    code,
    readyMs,
    readyCpuMs,
    promptTokensPerSecond:
      (1000 * (answer?.usage.promptTokens ?? 0)) / (answer?.timings.promptMs ?? 1),
    // The first token comes with the prompt.
    tokensPerSecond:
      (1000 * ((answer?.usage.completionTokens ?? 1) - 1)) / (answer?.timings.decodeMs ?? 1),
    text: answer?.text ?? "",
    peak,
    told,
  };
}
