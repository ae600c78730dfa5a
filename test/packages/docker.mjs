// The row of the Dockerfile in docs/guide/install.md: its instructions run in order, each stage in a
// folder of its own instead of a container, with a PATH that has only what the image would have.
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HELLO } from "../../scripts/packages/programs.mjs";
import { BuildError } from "../../scripts/build/process.mjs";
import { bareEnvironment, expectText, nodeOf, project, root, run } from "./support.mjs";

/** The instructions of the guide's Dockerfile. */
function dockerfile() {
  const guide = readFileSync(join(root, "docs", "guide", "install.md"), "utf8");
  const [, text] = /```dockerfile\n([\s\S]*?)```/.exec(guide) ?? [];
  if (text === undefined) throw new BuildError("docs/guide/install.md has no Dockerfile.");
  return text.split("\n").flatMap((line) => {
    const [, name, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, rest }];
  });
}

/** Runs the instructions; `context` is the folder that COPY reads. Returns the last CMD's output. */
async function build(folder, context, registry) {
  const stages = new Map();
  let stage;
  let output;
  const inside = (path) => join(stage.folder, path.startsWith("/") ? path : join(stage.cwd, path));
  const execute = (words) => run(words[0], words.slice(1), { cwd: inside("."), env: stage.env });
  const copy = (words) => {
    const [, from] = /^--from=(.*)$/.exec(words[0]) ?? [];
    const names = from === undefined ? words : words.slice(1);
    const source = from === undefined ? context : stages.get(from).folder;
    const target = names.pop();
    for (const name of names) {
      const isFolder = target.endsWith("/") && name !== ".";
      cpSync(join(source, name), inside(isFolder ? join(target, name) : target), {
        recursive: true,
        filter: (path) => path !== join(context, "node_modules"),
      });
    }
  };
  for (const { name, rest } of dockerfile()) {
    const words = rest.split(/\s+/);
    if (name === "FROM") {
      expectText(words[0], /^node:22-slim$/);
      const own = join(folder, `stage ${stages.size}`);
      mkdirSync(own);
      const env = {
        ...bareEnvironment(join(own, ".env"), nodeOf(22)),
        npm_config_registry: registry,
      };
      stage = { folder: own, cwd: "/", env };
      stages.set(words[2] ?? "", stage);
    } else if (name === "WORKDIR") {
      stage.cwd = rest;
      mkdirSync(inside("."), { recursive: true });
    } else if (name === "ENV") {
      const [key, value] = rest.split("=");
      stage.env[key] = value;
    } else if (name === "COPY") copy(words);
    else if (name === "RUN") await execute(words);
    else if (name === "CMD") ({ output } = await execute(JSON.parse(rest)));
    else if (name !== "USER") throw new BuildError(`${name} is not known here.`);
  }
  return output;
}

async function docker(folder, { registry, version }) {
  const context = project(join(folder, "context"), {
    "package.json": { private: true, type: "module", dependencies: { "r1-native": version } },
    "server.mjs": HELLO,
  });
  const env = { ...bareEnvironment(join(folder, ".env")), npm_config_registry: registry };
  await run("npm", ["install", "--package-lock-only", "--no-audit"], { cwd: context, env });
  if (!existsSync(join(context, "package-lock.json"))) throw new BuildError("no lock file.");
  expectText(await build(folder, context, registry), /^hello: /);
  return "steps run in a folder, hello";
}

export const rows = [["the guide's Dockerfile", docker]];
