// Runs a range of broken copies of a model through load-child.mjs or file-child.mjs, starting a new
// child whenever one dies or hangs. Main thread.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const CHILDREN = { load: "./load-child.mjs", files: "./file-child.mjs" };
const HANG_MS = 60_000;

function runChild(program, job, onMessage) {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(new URL(CHILDREN[program], import.meta.url)), {
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let current;
    let isDone = false;
    let tail = "";
    let hung = false;
    let timer;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        hung = true;
        child.kill("SIGKILL");
      }, HANG_MS);
    };
    watch();
    child.stderr.on("data", (data) => (tail = (tail + data).slice(-1500)));
    child.on("message", (message) => {
      watch();
      if (message.done) isDone = true;
      else if (message.started) current = message;
      else {
        current = undefined;
        onMessage(message);
      }
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ isDone, current, hung, code, signal, tail });
    });
    child.send(job);
  });
}

/**
 * Loads the broken copies with seeds `from` to `to - 1` of a model.
 *
 * @param base The good model. @param path Where the copies are written, one at a time.
 * @param kind "bytes" for broken bytes, "structure" for whole models that are wrong.
 * @returns `{ seed, kind, outcome }` of each; the outcome is `ok`, an error code,
 * `loaded, then CODE`, `crash: ...` or `hang`.
 */
export async function runMutants(base, path, from, to, kind = "bytes") {
  const outcomes = [];
  for (let next = from; next < to;) {
    const end = await runChild("load", { base, path, from: next, to, kind }, (message) =>
      outcomes.push(message),
    );
    if (end.isDone) break;
    if (end.current === undefined)
      throw new Error(`the child ended by itself: ${end.code} ${end.signal} ${end.tail}`);
    const { seed, kind: what } = end.current;
    outcomes.push({
      seed,
      kind: what,
      outcome: end.hung ? "hang" : `crash: ${end.signal ?? end.code}`,
      tail: end.tail,
      ms: 0,
    });
    next = seed + 1;
  }
  return outcomes;
}

/**
 * Does everything that works on files with the broken copies with seeds `from` to `to - 1` of a
 * model, of its parts and of importance matrices.
 *
 * @param folder Where the copies are written, those of one seed at a time.
 * @returns `{ seed, kind, outcome }` of each; the kind is the work, the outcome `ok`, an error
 * code, `crash: ...` or `hang`.
 */
export async function runFileWork(base, folder, from, to) {
  const outcomes = [];
  for (let next = from; next < to;) {
    const end = await runChild("files", { base, path: folder, from: next, to }, (message) =>
      outcomes.push(message),
    );
    if (end.isDone) break;
    if (end.current === undefined)
      throw new Error(`the child ended by itself: ${end.code} ${end.signal} ${end.tail}`);
    const { seed, kind } = end.current;
    outcomes.push({
      seed,
      kind,
      outcome: end.hung ? "hang" : `crash: ${end.signal ?? end.code}`,
      tail: end.tail,
      ms: 0,
    });
    next = seed + 1;
  }
  return outcomes;
}

/** Outcomes counted, a row for each kind of mutation and outcome. */
export function outcomeTable(outcomes) {
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].sort();
  const names = [...new Set(outcomes.map(({ outcome }) => outcome.split("\n")[0]))].sort();
  const width = Math.max(...kinds.map((kind) => kind.length));
  const rows = [["", ...names]];
  for (const kind of kinds)
    rows.push([
      kind,
      ...names.map(
        (name) =>
          outcomes.filter((o) => o.kind === kind && o.outcome.split("\n")[0] === name).length || "",
      ),
    ]);
  rows.push([
    "all",
    ...names.map((name) => outcomes.filter((o) => o.outcome.split("\n")[0] === name).length),
  ]);
  return rows
    .map(
      ([first, ...cells]) =>
        first.padEnd(width) +
        cells.map((cell, i) => `  ${String(cell).padStart(names[i].length)}`).join(""),
    )
    .join("\n");
}
