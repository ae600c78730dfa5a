// A model in a process of its own: the same answer, and an error instead of a crash when that
// process dies. Runs in the tested Node.
import childProcess from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { check, codeOf, report } from "../report.mjs";

/** The processes that Node itself starts, as on Windows. */
const started = [];
const { spawn } = childProcess;
childProcess.spawn = (...words) => {
  const child = spawn(...words);
  started.push({
    pid: child.pid,
    program: words[1]?.join(" ") ?? "",
    kill: () => child.kill("SIGKILL"),
  });
  return child;
};
syncBuiltinESMExports();
const { loadModel } = await import("../../../dist/index.js");

const text = (path) => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
};

/** The process that holds the model. */
function engineChild() {
  const own = started.findLast(({ program }) => program.includes("engine-child"));
  if (own !== undefined) return own;
  const found = readdirSync("/proc").find(
    (id) =>
      text(`/proc/${id}/cmdline`).includes("engine-child") &&
      Number(
        text(`/proc/${id}/stat`)
          .replace(/^.*\) . /s, "")
          .split(" ")[0],
      ) === process.pid,
  );
  return { pid: Number(found), kill: () => process.kill(Number(found), "SIGKILL") };
}

await report(async () => {
  const ask = (model) =>
    model.chat([{ role: "user", content: "What is 12+30?" }], { temperature: 0 }).result();
  const inside = await loadModel();
  const isolated = await loadModel(undefined, { isolation: "process" });
  const [here, there] = [await ask(inside), await ask(isolated)];
  check(here.text === there.text, "the same text in both", [here.text, there.text]);
  const saved = await isolated.session().save();
  check(saved.length > 0, "sessions work across processes", saved.length);
  const run = isolated.complete("x", {
    temperature: 0,
    maxTokens: 100_000,
    ignoreEos: true,
    loopGuard: false,
  });
  const child = engineChild();
  check(child.pid > 0, "the process is found", started);
  let died;
  try {
    for await (const part of run) if (part.text !== undefined) child.kill();
  } catch (error) {
    died = error;
  }
  check(died?.code === "ENGINE_CRASHED", "its death is an error", [died?.code, died?.message]);
  const after = await codeOf(ask(isolated));
  check(after === "ENGINE_CRASHED", "later calls say the same", after);
  check((await ask(inside)).text === here.text, "the other model is unharmed", 0);
  await isolated.close().catch(() => undefined);
  await inside.close();
  return { message: died.message };
});
