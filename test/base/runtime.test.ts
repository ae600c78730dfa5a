// How a script is started: by Node, and by a program that embeds Node.
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { R1Error } from "../../lib/base/errors.js";
import { scriptStart } from "../../lib/base/runtime.js";

const script = pathToFileURL("/app/script.js");
const versions = process.versions;

function pretend(what: { versions?: Record<string, string>; type?: string }): void {
  Object.defineProperty(process, "versions", {
    configurable: true,
    value: { ...versions, ...what.versions },
  });
  Object.defineProperty(process, "type", { configurable: true, value: what.type });
}

/** The code and the message of the error that a start ends with. */
function refusal(): string {
  try {
    scriptStart(script);
    return "none";
  } catch (error) {
    const { code, message } = error as R1Error;
    return `${code} ${message}`;
  }
}

afterEach(() => {
  Object.defineProperty(process, "versions", { configurable: true, value: versions });
  Reflect.deleteProperty(process, "type");
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("scriptStart", () => {
  it("starts Node with the flags, the script and its arguments, without NODE_OPTIONS", () => {
    vi.stubEnv("NODE_OPTIONS", "--inspect");
    const start = scriptStart(script, { flags: ["--no-warnings"], args: ["a"], env: { A: "1" } });
    expect(start.file).toBe(process.execPath);
    expect(start.args).toEqual(["--no-warnings", "/app/script.js", "a"]);
    expect(start.env).toMatchObject({ PATH: process.env["PATH"], A: "1" });
    expect(start.env).not.toHaveProperty("NODE_OPTIONS");
    expect(start.env).not.toHaveProperty("ELECTRON_RUN_AS_NODE");
  });

  it.each(["browser", "utility"])("makes Electron behave as Node (%s process)", (type) => {
    pretend({ versions: { electron: "39.0.0" }, type });
    const start = scriptStart(pathToFileURL("/app/app.asar/dist/script.js"));
    expect(start.env["ELECTRON_RUN_AS_NODE"]).toBe("1");
    expect(start.args).toEqual(["/app/app.asar.unpacked/dist/script.js"]);
  });

  it("starts children of a child that Electron runs as Node", () => {
    vi.stubEnv("ELECTRON_RUN_AS_NODE", "1");
    pretend({ versions: { electron: "39.0.0" } });
    expect(scriptStart(script).env["ELECTRON_RUN_AS_NODE"]).toBe("1");
  });

  it("starts no copies of an app whose fuse runAsNode is off", () => {
    vi.stubEnv("ELECTRON_RUN_AS_NODE", "1");
    pretend({ versions: { electron: "39.0.0" }, type: "browser" });
    expect(refusal()).toMatch(/^IO_FAILED .*runAsNode/);
  });

  it("refuses to start scripts in a single executable application", () => {
    const sea = { isSea: () => true } as unknown as ReturnType<typeof process.getBuiltinModule>;
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(sea);
    expect(refusal()).toMatch(/^IO_FAILED .*single executable/);
  });
});
