// The program that quantises, in a child process: several inputs abort inside llama.cpp, and an
// abort cannot be caught. Started by quantize-process.ts. It reads one job, reports log lines and
// the result, and ends when the parent releases it or is gone. Main thread of that process; the
// work runs on a native thread.
import { rmSync } from "node:fs";
import { parentChannel } from "../base/channel.js";
import { isR1Error } from "../base/errors.js";
import { initialize, native } from "../binding/load.js";
import type { NativeQuantizeConfig } from "../binding/native-quantize.js";
import { readImatrix } from "./imatrix.js";

/** The job that the parent requests. */
export interface QuantizeJob {
  readonly config: Omit<NativeQuantizeConfig, "imatrix">;
  /**
   * Path of the importance matrix. The child reads it, so that it is not sent through the channel.
   */
  readonly imatrix: string | null;
  /** Files and folders to remove if the parent is gone. */
  readonly partial: readonly string[];
}

/**
 * Messages of the parent: first the job, then the end, once no file has a temporary name any more.
 */
export type QuantizeOrder = QuantizeJob | "end";

/** Messages of the child. */
export type QuantizeMessage =
  | { readonly kind: "log"; readonly lines: readonly string[] }
  | { readonly kind: "done" }
  | { readonly kind: "error"; readonly code: string; readonly message: string };

async function work(job: QuantizeJob): Promise<QuantizeMessage> {
  try {
    const imatrix =
      job.imatrix === null
        ? []
        : [...(await readImatrix(job.imatrix)).entries].map(([name, values]) => ({ name, values }));
    initialize("disabled");
    await native().quantize(
      { ...job.config, imatrix },
      (entries) => void channel.send({ kind: "log", lines: entries.map(({ text }) => text) }),
    );
    return { kind: "done" };
  } catch (error) {
    const raw = error as { code?: unknown; message?: unknown };
    const code = isR1Error(error) || typeof raw.code === "string" ? String(raw.code) : "INTERNAL";
    return { kind: "error", code, message: String(raw.message) };
  }
}

let partial: readonly string[] | undefined;

const channel = parentChannel<QuantizeOrder, QuantizeMessage>(
  (order) => {
    if (order === "end") process.exit();
    partial = order.partial;
    void work(order).then((message) => channel.send(message));
  },
  () => {
    for (const path of partial ?? []) rmSync(path, { force: true, recursive: true });
    // Not process.exit(): it waits for llama.cpp, which would continue to write for hours and open
    // the files of further parts.
    process.kill(process.pid, "SIGKILL");
  },
);
