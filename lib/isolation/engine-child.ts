// The program of an isolated model: a process of its own, so that an abort of llama.cpp ends it
// alone. Started by engine-process.ts; ends with its parent. Main thread of that process.
import { writeFileSync } from "node:fs";
import { parentChannel } from "../base/channel.js";
import { loadBackends } from "../binding/backends.js";
import { initialize, native } from "../binding/load.js";
import { EngineService } from "./engine-service.js";
import type { ToChild, ToParent } from "./messages.js";

/**
 * Milliseconds for a tidy end when the parent is gone: an rpc-server is told good-bye between two
 * messages.
 */
const TIDY_MS = 500;

const end = (): void => void process.kill(process.pid, "SIGKILL");

// Ctrl-C reaches every process of a terminal's group; the parent decides what it means, and its end
// is this one's.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
try {
  // Where memory runs out, the system is to end this process rather than the parent.
  if (process.platform === "linux") writeFileSync("/proc/self/oom_score_adj", "500");
} catch {
  // It may be forbidden, and is a wish only.
}

const service = new EngineService({
  addon: native,
  initialize,
  loadBackends,
  send: (message) => channel.send(message),
});
const channel = parentChannel<ToChild, ToParent>(
  (message) => service.take(message),
  () => {
    setTimeout(end, TIDY_MS);
    void service.close().then(end, end);
  },
);
