// What is tried on another platform. Each case runs programs there and checks what they did; it
// returns a short text for the table, or throws.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { capture } from "../../scripts/build/process.mjs";
import { startHub } from "./hub.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const MODEL = join(root, "models", "tiny-r1.gguf");

/** A case that hangs is ended. Unit: milliseconds. */
const LIMIT_MS = 600_000;

async function ended({ child, ended: end }, limit = LIMIT_MS) {
  const timer = setTimeout(() => child.kill("SIGKILL"), limit);
  try {
    return await end;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program that reports and returns its facts. */
async function runFile(machine, program, folder, { words = [], env, node } = {}) {
  mkdirSync(join(folder, "files"), { recursive: true });
  const result = join(folder, `${machine.name}.json`);
  const paths = [program, result, join(folder, "files")].map(machine.path);
  const log = join(folder, machine.name);
  const run = machine.start([...paths, ...words], { cwd: folder, log, env, program: node });
  const { code, signal, stderr } = await ended(run);
  const said = stderr.trim().split("\n").slice(-5).join("\n");
  if (!existsSync(result))
    throw new Error(`it ended with ${signal ?? `exit code ${code}`} and no result\n${said}`);
  const { facts, error } = JSON.parse(readFileSync(result, "utf8"));
  if (error !== undefined) throw new Error(error);
  if (code !== 0) throw new Error(`it ended with ${signal ?? `exit code ${code}`}\n${said}`);
  return facts;
}

/** Runs one of programs/ on a machine and returns its facts. */
function runProgram(machine, name, folder, ...words) {
  return runFile(machine, join(here, "programs", `${name}.mjs`), folder, { words });
}

/** In a Node under another name, as in a packed application. */
async function renamed({ port }, folder) {
  const node = join(folder, port.name.startsWith("win32") ? "my app.exe" : "my app");
  copyFileSync(port.node, node);
  const { device } = await runFile(port, join(here, "programs", "load.mjs"), folder, { node });
  return `${basename(node)}: ${device}`;
}

function program(name, word) {
  return async (machines, folder) => word(await runProgram(machines.port, name, folder));
}

/** Texts without chance, token by token as this machine's own build gives them. */
async function sameText({ port, own }, folder) {
  const [there, here] = [
    await runProgram(port, "text", folder),
    await runProgram(own, "text", folder),
  ];
  let tokens = 0;
  for (const [i, { content, tokens: wanted, text }] of here.answers.entries()) {
    const found = there.answers[i];
    const at = wanted.findIndex((token, place) => token !== found.tokens[place]);
    if (at >= 0 || found.tokens.length !== wanted.length)
      throw new Error(
        `another text from token ${at} on for ${JSON.stringify(content)}:\n` +
          `  ${own.name}: ${JSON.stringify(text)}\n  ${port.name}: ${JSON.stringify(found.text)}`,
      );
    tokens += wanted.length;
  }
  return `${here.answers.length} replies, ${tokens} tokens, as on ${own.name}`;
}

async function pull({ port }, folder) {
  const hub = await startHub(readFileSync(MODEL));
  try {
    const { bytes } = await runProgram(port, "pull", folder, hub.endpoint);
    return `${(bytes / 1e6).toFixed(1)} MB, fetched once, replaced with force`;
  } finally {
    hub.close();
  }
}

const ROWS = 40;
const KILLS = 3;

const linesOf = (path) =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];

/** A batch that is killed several times, each time after a few more rows. */
async function batch({ port }, folder) {
  const [input, output] = [join(folder, "in.jsonl"), join(folder, "öut.jsonl")];
  const row = (i) => `{"id":"q${i}","prompt":"What is ${i}+${i % 7}?"}\n`;
  writeFileSync(input, Array.from({ length: ROWS }, (_, i) => row(i)).join(""));
  const cli = join(root, "dist", "cli", "main.js");
  const flags = ["-m", port.path(MODEL), "-t", "1", "-n", "32", "-c", "2048"];
  const words = [port.path(cli), "batch", port.path(input), port.path(output), ...flags];
  const begin = (name) => port.start(words, { cwd: folder, log: join(folder, name) });
  let rows = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const run = begin(`kill-${kill}`);
    let end;
    void run.ended.then((made) => (end = made));
    // The size, since the file is being written.
    while (end === undefined && linesOf(output).length < rows + 6) await sleep(20);
    if (end !== undefined)
      throw new Error(`it ended by itself with exit code ${end.code}\n${end.stderr}`);
    run.child.kill("SIGKILL");
    await run.ended;
    rows = linesOf(output).length;
  }
  const last = await ended(begin("last"));
  if (last.code !== 0) throw new Error(`exit code ${last.code}\n${last.stderr}`);
  const ids = linesOf(output).map((line) => JSON.parse(line).id);
  const wanted = Array.from({ length: ROWS }, (_, i) => `q${i}`);
  if (ids.length !== ROWS || wanted.some((id) => !ids.includes(id)))
    throw new Error(`${ids.length} lines for ${ROWS} rows: ${ids.join(" ")}`);
  return `${ROWS} rows, each once after ${KILLS} kills`;
}

/** The program as users start it. */
async function commands({ port }, folder) {
  const cli = port.path(join(root, "dist", "cli", "main.js"));
  const run = (name, ...words) =>
    ended(port.start([cli, ...words], { cwd: folder, log: join(folder, name) }));
  const asked = await run("ask", "What is 1+1?", "--temp", "0");
  if (asked.code !== 0 || !asked.stdout.includes("2"))
    throw new Error(`exit code ${asked.code}: ${asked.stdout}\n${asked.stderr}`);
  const refused = await run("refused", "inspect", "nowhere.gguf");
  if (refused.code !== 1 || !refused.stderr.includes("FILE_NOT_FOUND"))
    throw new Error(`exit code ${refused.code}: ${refused.stderr}`);
  const listed = await run("devices", "devices", "--json");
  if (!listed.stdout.includes("CPU")) throw new Error(`devices: ${listed.stdout}${listed.stderr}`);
  return "an answer, an error with its code, devices";
}

/**
 * The archives that are published, unpacked as npm does. The folder lies in this repository, whose
 * node_modules has the other packages that r1-native needs.
 */
async function installed({ port }, folder) {
  const project = join(here, ".cache", `installed-${port.name}`);
  const archives = join(folder, "archives");
  const made = capture(process.execPath, [
    join(root, "scripts", "packages.mjs"),
    "--out",
    archives,
  ]);
  if (!made.ok) throw new Error(`npm run packages: ${made.stderr}`);
  rmSync(project, { recursive: true, force: true });
  for (const [start, name] of [
    [`r1-native-${port.name}-`, join("@r1-native", port.name)],
    [/^r1-native-\d/, "r1-native"],
  ]) {
    const archive = readdirSync(archives).find((file) => file.search(start) === 0);
    const to = join(project, "node_modules", name);
    mkdirSync(to, { recursive: true });
    const words = ["-xzf", join(archives, archive), "-C", to, "--strip-components", "1"];
    const unpacked = capture("tar", words);
    if (!unpacked.ok) throw new Error(unpacked.stderr);
  }
  // Otherwise the name r1-native is that of the repository around it.
  writeFileSync(join(project, "package.json"), '{ "name": "project", "type": "module" }\n');
  copyFileSync(join(here, "programs", "installed.mjs"), join(project, "main.mjs"));
  copyFileSync(join(here, "report.mjs"), join(project, "report.mjs"));
  const env = { PREBUILDS_ONLY: "" };
  const { answer, addon } = await runFile(port, join(project, "main.mjs"), folder, { env });
  const own = `node_modules/@r1-native/${port.name}/`;
  if (!addon.replaceAll("\\", "/").includes(own)) throw new Error(`${addon} was loaded`);
  return `${answer.trim()} from ${own}`;
}

/** By name, in the order in which they run. */
export const CASES = {
  load: program(
    "load",
    ({ node, platform, arch, llama, device }) =>
      `Node ${node} ${platform}-${arch}, llama.cpp ${llama}, ${device}`,
  ),
  renamed,
  chat: program("chat", ({ tokensPerSecond }) => `streamed, ${tokensPerSecond} tokens/s`),
  text: sameText,
  abort: program("abort", ({ pieces }) => `after ${pieces} tokens; exits while generating`),
  sessions: program("sessions", ({ bytes }) => `${(bytes / 1e3).toFixed(0)} KB, over an open file`),
  files: program("files", ({ parts }) => `split into ${parts}, merged, quantised, locked`),
  pull,
  batch,
  isolation: program("isolation", ({ message }) => message.slice(0, 70)),
  workers: program("workers", ({ workers }) => `${workers} workers, one ended in a reply`),
  commands,
  installed,
};
