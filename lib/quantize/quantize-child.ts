// The program that quantises: a process of its own, because several inputs abort inside llama.cpp
// and an abort cannot be caught. Started by quantize-process.ts; reads one job, tells log lines and
// the outcome, and ends when the parent lets go or is gone. Main thread of that process; the work
// runs on a native thread.
import { rmSync } from "node:fs";
import { parentChannel } from "../base/channel.js";
import { isR1Error } from "../base/errors.js";
import { initialize, native } from "../binding/load.js";
import type { NativeQuantizeConfig } from "../binding/native-quantize.js";
import { readImatrix } from "./imatrix.js";

/** What the parent asks for. */
export interface QuantizeJob {
  readonly config: Omit<NativeQuantizeConfig, "imatrix">;
  /** Path of the importance matrix; read here, so that it does not cross the channel. */
  readonly imatrix: string | null;
  /** Files and folders to remove when the parent is gone. */
  readonly partial: readonly string[];
}

/**
 * What the parent says: the job first, and the end once no file has its temporary name any more.
 */
export type QuantizeOrder = QuantizeJob | "end";

/** What the child tells. */
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
    // Not process.exit(), which waits for llama.cpp: it would write on for hours, and open the
    // files of further parts.
    process.kill(process.pid, "SIGKILL");
  },
);
