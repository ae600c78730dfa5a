// `npm run check:package`: makes the packages of this machine, installs them in an empty folder
// without scripts and without a compiler, and runs one prompt from ESM, from require() and with the
// command.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { BuildError, capture, main, show, which } from "./build/process.mjs";
import { ENTRIES, HELLO, HELLO_CJS } from "./packages/programs.mjs";
import { ownPlatform } from "./packages/targets.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

const PROGRAMS = { "esm.mjs": HELLO, "entries.mjs": ENTRIES, "require.cjs": HELLO_CJS };

/**
 * What a TypeScript user writes, compiled against the tarball's own declarations under both common
 * resolutions.
 */
const TYPED = `import { isR1Error, loadModel, type Part } from "r1-native";
import { inspectGguf, type Inspection } from "r1-native/files";
import { listModels, type ListedModel } from "r1-native/hub";
import { planOffload, type OffloadPlan } from "r1-native/plan";
export const inspected: Promise<Inspection> = inspectGguf("model.gguf");
export const listed: Promise<ListedModel[]> = listModels("owner/name");
export const planned: Promise<OffloadPlan> = planOffload("model.gguf");
export async function ask(question: string): Promise<string> {
  try {
    await using model = await loadModel(undefined, { contextSize: 1024 });
    let answer = "";
    for await (const part of model.chat([{ role: "user", content: question }])) answer += textOf(part);
    return answer;
  } catch (error) {
    return isR1Error(error, "FILE_NOT_FOUND") ? error.message : "";
  }
}
function textOf(part: Part): string {
  return part.type === "answer-delta" ? part.text : "";
}
`;

function checkTypes(user) {
  writeFileSync(join(user, "typed.mts"), TYPED);
  const tsc = [
    join(root, "node_modules", "typescript", "bin", "tsc"),
    "typed.mts",
    "--noEmit",
    "--strict",
    "--target",
    "es2022",
    "--lib",
    "es2023,esnext.disposable",
  ];
  for (const [module, resolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    const args = [
      ...tsc,
      "--module",
      module,
      "--moduleResolution",
      resolution,
      "--types",
      "node",
      "--typeRoots",
      join(root, "node_modules", "@types"),
    ];
    run(
      process.execPath,
      args,
      { cwd: user },
      `the declarations do not compile for a user with moduleResolution ${resolution}`,
    );
  }
}

/** An environment whose PATH has node and npm, and no compiler. */
function withoutCompiler(work) {
  const bin = join(work, "bin");
  mkdirSync(bin, { recursive: true });
  for (const name of ["node", "npm", "npx", "sh"]) {
    if (!existsSync(join(bin, name))) symlinkSync(which(name), join(bin, name));
  }
  return { ...process.env, PATH: bin };
}

function run(command, args, options, failure) {
  const result = capture(command, args, options);
  if (!result.ok) throw new BuildError(`${failure}:\n${result.stdout}\n${result.stderr}`);
  return result.stdout.trim();
}

/** The archive of r1-native and that of this platform; the folder may have those of others too. */
function archivesForThisMachine(folder) {
  const platform = ownPlatform();
  const find = (start) =>
    readdirSync(folder).find(
      (name) => name.startsWith(start) && /^\d+\..*\.tgz$/.test(name.slice(start.length)),
    );
  const found = [find("r1-native-"), find(`r1-native-${platform}-`)];
  if (found.includes(undefined))
    throw new BuildError(
      `there is no package for ${platform}: make its libraries by \`npm run prebuild\`, or take ` +
        "this machine's build (`npm run check:package -- --own-build`).",
    );
  return found.map((name) => join(folder, name));
}

async function lintPackage(folder) {
  const { messages } = await publint({ pkgDir: folder, pack: false, strict: true });
  for (const message of messages)
    console.error(`publint ${message.type}: ${formatMessage(message, {}) ?? message.code}`);
  if (messages.some(({ type }) => type !== "suggestion"))
    throw new BuildError("publint found faults in the packed tarball.");
}

await main(async () => {
  const work = mkdtempSync(join(tmpdir(), "r1-package-"));
  try {
    await show(
      process.execPath,
      [join(root, "scripts", "packages.mjs"), "--out", work, ...process.argv.slice(2)],
      { cwd: root, failure: "the packages could not be made" },
    );
    const tarballs = archivesForThisMachine(work);
    const user = join(work, "user");
    mkdirSync(user);
    writeFileSync(join(user, "package.json"), '{ "private": true }\n');
    await show(
      "npm",
      ["install", ...tarballs, "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"],
      {
        cwd: user,
        env: withoutCompiler(work),
        stdio: ["ignore", process.env.R1_VERBOSE ? "inherit" : "ignore", "inherit"],
        failure: "the packages could not be installed",
      },
    );
    await lintPackage(join(user, "node_modules", "r1-native"));
    checkTypes(user);
    for (const [name, text] of Object.entries(PROGRAMS)) {
      writeFileSync(join(user, name), text);
      const options = { cwd: user, env: withoutCompiler(work) };
      console.log(`${name}: ${run(process.execPath, [name], options, `${name} failed`)}`);
    }
    console.log(
      `npx r1-native --version: ${run("npx", ["--offline", "r1-native", "--version"], { cwd: user }, "the command failed")}`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
