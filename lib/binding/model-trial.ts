// The program that tries a model file in a separate process, because a file can make llama.cpp
// abort, crash or never return. It reads its task as one line of JSON from descriptor 3, writes the
// result as JSON to it, and ends.
import { readSync, writeFileSync, writeSync } from "node:fs";
import { initialize, native } from "./load.js";
import type { TrialResult, TrialTask } from "./trial-process.js";

const LINK = 3;

function readTask(): TrialTask {
  const pieces: Buffer[] = [];
  const piece = Buffer.alloc(65_536);
  for (;;) {
    const count = readSync(LINK, piece);
    if (count === 0) process.exit(1);
    pieces.push(Buffer.from(piece.subarray(0, count)));
    if (piece[count - 1] === 10) return JSON.parse(Buffer.concat(pieces).toString()) as TrialTask;
  }
}

function attempt(): TrialResult {
  try {
    const { model, engine, withData } = readTask();
    initialize("disabled");
    native().tryModel(model, engine, withData);
    return { code: null, message: "" };
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    return { code: typeof code === "string" ? code : "INTERNAL", message };
  }
}

// The parent ends a process that does not even start. JSON may begin with white space.
writeSync(LINK, "\n");
// Ctrl-C is sent to every process of a terminal's group, but only the parent reacts to it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
try {
  // When memory runs out, the system should end this process rather than another one.
  if (process.platform === "linux") writeFileSync("/proc/self/oom_score_adj", "1000");
} catch {
  // May be forbidden; this is only a hint to the system.
}
writeSync(LINK, JSON.stringify(attempt()));
// Freeing what a bad file left behind may crash, and nothing here is worth the time.
process.kill(process.pid, "SIGKILL");
