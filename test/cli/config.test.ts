// The configuration: which source wins, what a project's file may hold, and what is refused.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { COMMAND_FLAGS, type FlaggedCommand } from "../../lib/cli/command-flags.js";
import { Configuration } from "../../lib/cli/config/configuration.js";
import { strayVariables, variableOf } from "../../lib/cli/config/environment.js";
import { projectFile, userFile } from "../../lib/cli/config/places.js";
import { reachOf } from "../../lib/cli/config/reach.js";
import { nameOf, type Flag } from "../../lib/cli/flags.js";

let home: string;
let project: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "r1-config-")));
  project = join(home, "project");
  mkdirSync(join(project, ".git"), { recursive: true });
  mkdirSync(join(project, "deep", "down"), { recursive: true });
  env = { XDG_CONFIG_HOME: join(home, "xdg") };
  // Not process.chdir: the quick tests run in threads, which cannot.
  vi.spyOn(process, "cwd").mockReturnValue(join(project, "deep", "down"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(home, { recursive: true, force: true });
});

const write = (path: string, value: unknown): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
};
const ofUser = (value: unknown): void => write(userFile(env), value);
const ofProject = (value: unknown): void => write(join(project, "r1-native.config.json"), value);

const flag = (command: FlaggedCommand, name: string): Flag => {
  const found = COMMAND_FLAGS[command].find(({ names }) => names.includes(name));
  if (found === undefined) throw new Error(`no flag ${name}`);
  return found;
};

/** The settings that hold beside some flags, as `name=values`. */
const held = (command: FlaggedCommand, ...given: string[]): string[] =>
  Configuration.read(command, env)
    .beside(given.map((name) => flag(command, name)))
    .map((setting) => [nameOf(setting.flag), ...setting.values].join("="));

const failure = (work: () => unknown): { code: string; message: string } => {
  try {
    work();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  }
  throw new Error("nothing was refused");
};

describe("the stronger source wins", () => {
  beforeEach(() => {
    ofUser({ temp: 0.1, "top-k": 1, seed: 1, "min-p": 0.1 });
    ofProject({ temp: 0.2, "top-k": 2, seed: 2 });
    env["R1_NATIVE_TEMP"] = "0.3";
    env["R1_NATIVE_TOP_K"] = "3";
  });

  it("environment over project's file over user's file", () =>
    expect(held("run").sort()).toEqual(["--min-p=0.1", "--seed=2", "--temp=0.3", "--top-k=3"]));

  it("the command line over all", () =>
    expect(held("run", "--temp", "--seed").sort()).toEqual(["--min-p=0.1", "--top-k=3"]));

  it("an empty variable sets nothing", () => {
    env["R1_NATIVE_TEMP"] = "";
    expect(held("run")).toContain("--temp=0.2");
  });
});

describe("what cannot stand together", () => {
  it("is not mixed from two sources: another model, another form, other reasoning", () => {
    ofUser({ "hf-repo": "a/b", "reasoning-budget": 100, grammar: 'root ::= "a"' });
    expect(held("run", "--model")).not.toContain("--hf-repo=a/b");
    expect(held("run", "--reasoning")).not.toContain("--reasoning-budget=100");
    expect(held("run", "--json-schema").join()).not.toContain("grammar");
    expect(held("run")).toHaveLength(3);
  });

  it("gives way to the command line: --raw knows no system prompt, --mlock no other load mode", () => {
    ofUser({ "system-prompt": "x", "load-mode": "none" });
    expect(held("run", "--raw", "--mlock")).toEqual([]);
    expect(held("run")).toHaveLength(2);
  });

  it("loads no model for a batch whose workers load it", () => {
    ofUser({ "ctx-size": 4096, temp: 0.5 });
    expect(held("batch", "--queue")).toEqual(["--temp=0.5"]);
    expect(held("batch")).toHaveLength(2);
  });
});

describe("a file", () => {
  it("may have a section for a command, which is stronger than the rest of it", () => {
    ofUser({ "ctx-size": 4096, temp: 0.5, chat: { ctx_size: 8192, "show-reasoning": true } });
    expect(held("chat").sort()).toEqual(["--ctx-size=8192", "--show-reasoning", "--temp=0.5"]);
    expect(held("run").sort()).toEqual(["--ctx-size=4096", "--temp=0.5"]);
  });

  it("takes texts, numbers, lists and switches", () => {
    ofUser({ stop: ["a", "b"], "no-history": false, "hide-reasoning": true, reasoning: false });
    expect(held("chat").sort()).toEqual(["--hide-reasoning", "--reasoning=false", "--stop=a=b"]);
  });

  it("sets what a command knows, and nothing for others", () => {
    ofUser({ port: 9000, "show-reasoning": true });
    expect(held("serve")).toEqual(["--port=9000"]);
    expect(held("run")).toEqual([]);
  });

  it.each([
    ["{", "is not JSON"],
    ["[]", "must hold one JSON object"],
    ['{"tempp": 1}', 'Did you mean "temp"?'],
    ['{"chat": {"port": 1}}', 'the key "port" in "chat"'],
    ['{"temp": {"a": 1}}', "expected a text, a number or a list"],
    ['{"temp": null}', "expected a text, a number or a list"],
    ['{"temp": "warm"}', "a number after --temp"],
    ['{"hide-reasoning": "yes"}', "expected true or false"],
    ['{"prompt": "hi"}', "meant for one call"],
    ['{"session": "x"}', "meant for one call"],
    ['{"__proto__": 1}', "sets nothing"],
  ])("is refused: %s", (text, why) => {
    ofUser(text);
    const { code, message } = failure(() => held("run"));
    expect(code).toMatch(/^CONFIG_(?:INVALID|FORBIDDEN)$/);
    expect(message).toContain(why);
    expect(message).toContain(userFile(env));
  });

  it("is refused if it is not a regular file", () => {
    mkdirSync(join(project, "r1-native.config.json"));
    expect(failure(() => held("run")).code).toBe("CONFIG_INVALID");
  });
});

describe("a project's file", () => {
  it("is the nearest one up to the root of the repository", () => {
    write(join(home, "r1-native.config.json"), { temp: 0.9 });
    expect(projectFile(process.cwd())).toBeUndefined();
    ofProject({ temp: 0.1 });
    expect(projectFile(process.cwd())).toBe(join(project, "r1-native.config.json"));
    write(join(project, "deep", "r1-native.config.json"), { temp: 0.2 });
    expect(held("run")).toEqual(["--temp=0.2"]);
  });

  it.each([
    ["model", "x.gguf"],
    ["hf-repo", "a/b"],
    ["hf-file", "x.gguf"],
    ["model-draft", "x.gguf"],
    ["hf-repo-draft", "a/b"],
    ["backend-dir", "/tmp"],
    ["rpc", "host:1"],
    ["proxy", "http://host"],
    ["grammar-file", "/etc/passwd"],
    ["json-schema-file", "/etc/passwd"],
    ["system-prompt-file", "/etc/passwd"],
    ["override-kv", "a=int:1"],
    ["host", "0.0.0.0"],
    ["port", 80],
    ["api-key", "x"],
    ["api-key-file", "/etc/passwd"],
    ["no-auth", true],
    ["ssl-key-file", "/etc/passwd"],
    ["add-model", "a=b"],
    ["any-model", true],
    ["cors-origins", "*"],
    ["allowed-hosts", "*"],
    ["queue", "redis://host"],
    ["verify", "./evil.mjs"],
    ["prio", 3],
    ["trial", false],
  ])("must not set %s, in any command and in any section", (key, value) => {
    const commands = Object.keys(COMMAND_FLAGS) as FlaggedCommand[];
    ofProject({ [key]: value });
    for (const command of commands) {
      const { code, message } = failure(() => held(command));
      expect(code).toBe("CONFIG_FORBIDDEN");
      expect(message).toContain(join(project, "r1-native.config.json"));
    }
    const owner = commands.find((name) =>
      COMMAND_FLAGS[name].some(({ names }) => names.includes(`--${key}`)),
    );
    ofProject({ [owner ?? ""]: { [key]: value } });
    expect(failure(() => held("run")).code).toBe("CONFIG_FORBIDDEN");
  });

  it("has in its reach no flag whose value is a path, an address or a repository", () => {
    const places = /FILE|DIR|PATH|FOLDER|URL|ADDRESS|HOST|OWNER|MODEL|KEY\b/;
    const reached = Object.values(COMMAND_FLAGS)
      .flat()
      .filter((each) => reachOf(each) === "anywhere" && places.test(each.value ?? ""));
    expect(reached.map(nameOf)).toEqual([]);
  });
});

describe("the environment", () => {
  it("sets switches by words", () => {
    env["R1_NATIVE_HIDE_REASONING"] = "on";
    env["R1_NATIVE_IGNORE_EOS"] = "0";
    expect(held("run")).toEqual(["--hide-reasoning"]);
    env["R1_NATIVE_IGNORE_EOS"] = "perhaps";
    const { code, message } = failure(() => held("run"));
    expect(code).toBe("CONFIG_INVALID");
    expect(message).toContain("the variable R1_NATIVE_IGNORE_EOS: expected true or false");
  });

  it("counts llama-server's variables for serve, ours first", () => {
    Object.assign(env, { LLAMA_ARG_PORT: "1", LLAMA_ARG_HOST: "::1", R1_NATIVE_PORT: "2" });
    expect(held("serve").sort()).toEqual(["--host=::1", "--port=2"]);
    expect(held("run")).toEqual([]);
  });

  it("has one variable for each flag of a command", () => {
    for (const flags of Object.values(COMMAND_FLAGS)) {
      const names = flags.filter(({ hidden }) => hidden !== true).map(variableOf);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it("names variables that set nothing, with the nearest one", () => {
    expect(strayVariables({ R1_NATIVE_TEMPP: "1", R1_NATIVE_TEMP: "1", OTHER: "1" })).toEqual([
      "The variable R1_NATIVE_TEMPP sets nothing: no setting has this name. Did you mean R1_NATIVE_TEMP?",
    ]);
  });
});
