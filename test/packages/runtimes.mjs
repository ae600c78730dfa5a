// Rows of runtimes: one installed project runs with several versions of Node, with Bun and Deno, as
// in Electron, and beside another addon that has its own llama.cpp.
import { chmodSync, cpSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { BuildError, capture } from "../../scripts/build/process.mjs";
import { HELLO } from "../../scripts/packages/programs.mjs";
import { EXIT, FAILING, RUNTIME, WORKER } from "./programs.mjs";
import { expectText, nodeOf, project, run, tool } from "./support.mjs";

/** What {@link RUNTIME} reports. */
const STEPS = ["streaming", "abort", "schema", "worker", "isolation", "end"];

/** Programs, and their arguments before a script. */
const RUNTIMES = {
  "Node 20": () => [nodeOf(20)],
  "Node 22": () => [nodeOf(22)],
  "Node 24": () => [nodeOf(24)],
  "Node 26": () => [nodeOf(26)],
  Bun: () => [join(tool("@oven/bun-linux-x64@1"), "bin", "bun")],
  Deno: () => [join(tool("@deno/linux-x64-glibc@2"), "deno"), "run", "-A"],
};

function requireSteps(output) {
  const done = [...output.matchAll(/^ok: (\w+)/gm)].map(([, what]) => what);
  if (done.join() !== STEPS.join()) throw new BuildError(`only ${done.join()}:\n${output}`);
  return done.join(", ");
}

async function runAll(user, [program, ...first]) {
  chmodSync(program, 0o755);
  const release = capture(program, ["--version"]).stdout.trim().split("\n")[0];
  const { output } = await run(program, [...first, "runtime.mjs"], { cwd: user });
  await run(program, [...first, "exit.mjs"], { cwd: user, code: 7 });
  return [release, `${requireSteps(output)}, exit`];
}

/**
 * Electron's program starts the app unless ELECTRON_RUN_AS_NODE is set, and keeps the app's files in
 * an archive that no other program can read. A wrapper does the first. For the second, there is a
 * folder app.asar in which the libraries, the model and the children's scripts are useless, as the
 * system and other programs see them, and they are whole in app.asar.unpacked.
 */
async function asElectron(folder, { user }) {
  const wrapper = join(folder, "electron");
  const guard =
    '[ "$ELECTRON_RUN_AS_NODE" = 1 ] || { echo "a second app was started" >&2; exit 87; }';
  project(folder, { electron: `#!/bin/sh\n${guard}\nexec "${process.execPath}" "$@"\n` });
  chmodSync(wrapper, 0o755);
  cpSync(user, join(folder, "app.asar.unpacked"), { recursive: true });
  const app = join(folder, "app.asar");
  cpSync(user, app, { recursive: true });
  const useless = /(\.(node|so|gguf)|\.so\.\d+|-(child|trial|task)\.js)$/;
  for (const name of readdirSync(app, { recursive: true }))
    if (useless.test(name)) writeFileSync(join(app, name), "in the archive\n");
  project(app, {
    "app.mjs": `process.execPath = ${JSON.stringify(wrapper)};
Object.defineProperty(process, "versions", { value: { ...process.versions, electron: "39.0.0" } });
process.type = "browser";
await import("./runtime.mjs");
`,
  });
  const { output } = await run(process.execPath, ["app.mjs"], { cwd: app });
  requireSteps(output);
  return ["by a wrapper", "children as Node, files of app.asar.unpacked"];
}

/** Runs programs of the user's project in one process, in this order. */
async function together(user, ...names) {
  const lines = names.map((name) => `await import("./${name}.mjs");\n`);
  project(user, { "together.mjs": `${lines.join("")}process.exit(0);\n` });
  const { output } = await run(process.execPath, ["together.mjs"], { cwd: user });
  return output;
}

/**
 * Another addon over llama.cpp in the same process: of the same version of llama.cpp in both orders,
 * and of an older one, with which r1-native must be the first.
 */
async function withOther(_folder, { user }) {
  for (const [version, isOlder] of [
    ["3.22.1", false],
    ["3.21.1", true],
  ]) {
    const other = tool(`node-llama-cpp@${version}`, `@node-llama-cpp/linux-x64@${version}`);
    const index = pathToFileURL(join(other, "dist", "index.js")).href;
    project(user, {
      "other.mjs": `import { getLlama } from ${JSON.stringify(index)};
const llama = await getLlama({ gpu: false, build: "never", progressLogs: false });
console.log("other: " + llama.systemInfo);
`,
    });
    expectText(await together(user, "hello", "other"), /^hello: .*\nother: /);
    expectText(
      await together(user, "other", "failing"),
      isOlder ? /^other: .*\nADDON_MISSING: .*older llama\.cpp/ : /^other: .*\nno error/,
    );
  }
  return ["3.22.1 and 3.21.1", "r1-native first; last: 3.22.1, and 3.21.1 is one error"];
}

/** Programs in the user's project. */
export const files = {
  "failing.mjs": FAILING,
  "hello.mjs": HELLO,
  "runtime.mjs": RUNTIME,
  "worker.mjs": WORKER,
  "exit.mjs": EXIT,
};

export const rows = [
  ...Object.entries(RUNTIMES).map(([name, start]) => [
    name,
    (_folder, { user }) => runAll(user, start()),
  ]),
  ["Electron", asElectron],
  ["node-llama-cpp, same process", withOther],
];
