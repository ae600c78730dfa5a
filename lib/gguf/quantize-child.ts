// The program that quantises: a process of its own, because several inputs abort inside llama.cpp and an abort cannot be caught. Started by quantize.ts with an
// IPC channel; reads one job, tells log lines, ends with the parent. Main thread of that process; the work runs on a native thread.
import { rmSync } from "node:fs";
import { isR1Error } from "../base/errors.js";
import { initialize, native } from "../binding/load.js";
import type { NativeQuantizeConfig } from "../binding/native-quantize.js";
import { readImatrix } from "./imatrix.js";

/** What the parent asks for. */
export interface QuantizeJob {
  readonly config: Omit<NativeQuantizeConfig, "imatrix">;
  /** Path of the importance matrix; read here, so that it does not cross the channel. */
  readonly imatrix: string | null;
  /** Files to remove when the parent is gone. */
  readonly partial: readonly string[];
}

/** What the child tells. */
export type QuantizeMessage =
  | { readonly kind: "log"; readonly lines: readonly string[] }
  | { readonly kind: "done" }
  | { readonly kind: "error"; readonly code: string; readonly message: string };

function tell(message: QuantizeMessage, then: () => void = () => undefined): void {
  if (process.send === undefined || !process.connected) then();
  else process.send(message, undefined, undefined, then);
}

async function work(job: QuantizeJob): Promise<QuantizeMessage> {
  try {
    const imatrix = job.imatrix === null ? [] : [...(await readImatrix(job.imatrix)).entries].map(([name, values]) => ({ name, values }));
    initialize("disabled");
    await native().quantize({ ...job.config, imatrix }, (entries) => tell({ kind: "log", lines: entries.map(({ text }) => text) }));
    return { kind: "done" };
  } catch (error) {
    const raw = error as { code?: unknown; message?: unknown };
    const code = isR1Error(error) || typeof raw.code === "string" ? String(raw.code) : "INTERNAL";
    return { kind: "error", code, message: String(raw.message) };
  }
}

process.once("message", (job: QuantizeJob) => {
  process.once("disconnect", () => {
    for (const path of job.partial) rmSync(path, { force: true });
    process.exit(1);
  });
  void work(job).then((message) => tell(message, () => process.exit(message.kind === "done" ? 0 : 1)));
});
