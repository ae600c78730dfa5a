// The program of an isolated model: a separate process, so that an abort of llama.cpp ends only
// this one. Started by engine-process.ts; ends with its parent.
import { writeFileSync } from "node:fs";
import { parentChannel } from "../base/channel.js";
import { loadBackends } from "../binding/backends.js";
import { initialize, native } from "../binding/load.js";
import { EngineService } from "./engine-service.js";
import type { ToChild, ToParent } from "./messages.js";

/**
 * Milliseconds for an orderly shutdown when the parent is gone: an rpc-server is disconnected
 * between two messages.
 */
const TIDY_MS = 500;

const end = (): void => void process.kill(process.pid, "SIGKILL");

// Ctrl-C is sent to every process of a terminal's group, but only the parent reacts to it, and this
// process ends with the parent.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
try {
  // When memory runs out, the system should end this process rather than the parent.
  if (process.platform === "linux") writeFileSync("/proc/self/oom_score_adj", "500");
} catch {
  // May be forbidden; this is only a hint to the system.
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
