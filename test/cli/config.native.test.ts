// The configuration as a user meets it: it changes what the program does, and `r1-native config`
// shows it. Uses dist/.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { run } from "./program.js";

const home = mkdtempSync(join(tmpdir(), "r1-config-"));
const file = join(home, "r1-native", "config.json");
const env = { XDG_CONFIG_HOME: home };
mkdirSync(join(home, "r1-native"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const set = (value: unknown): void => writeFileSync(file, JSON.stringify(value));
beforeEach(() => set({}));

describe("r1-native run", () => {
  const tokens = async (words: string[], more: Record<string, string> = {}): Promise<number> => {
    const { stdout } = await run(["-p", "What is 1+1?", "--json", "-t", "1", ...words], {
      env: { ...env, ...more },
    });
    return (JSON.parse(stdout) as { usage: { completionTokens: number } }).usage.completionTokens;
  };

  it("does what the file, the variable and the flag say, the flag first", async () => {
    set({ "n-predict": 3 });
    expect(await tokens([])).toBe(3);
    expect(await tokens([], { R1_NATIVE_N_PREDICT: "4" })).toBe(4);
    expect(await tokens(["-n", "5"], { R1_NATIVE_N_PREDICT: "4" })).toBe(5);
  });

  it("says where a value comes from that is refused", async () => {
    set({ "top-p": 99 });
    const { code, stderr } = await run(["hi"], { env });
    expect(code).toBe(2);
    expect(stderr).toContain(`--top-p is set by the user file: ${file}`);
  });

  it("warns of a variable that sets nothing, and refuses a wrong file with code 2", async () => {
    const warned = await run(["-p", "hi", "-n", "1"], { env: { ...env, R1_NATIVE_TEMPP: "1" } });
    expect(warned.stderr).toMatch(/^warning: The variable R1_NATIVE_TEMPP sets nothing/);
    expect(warned.code).toBe(0);
    set({ tempp: 1 });
    const refused = await run(["hi"], { env });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("code: CONFIG_INVALID");
  });

  it("shows its help whatever the file holds", async () => {
    writeFileSync(file, "{");
    expect((await run(["run", "--help"], { env })).code).toBe(0);
  });
});

describe("r1-native config", () => {
  it("shows each value with its origin, and what was replaced", async () => {
    set({ temp: 0.5, chat: { "ctx-size": 16384 } });
    const { code, stdout } = await run(["config", "chat"], {
      env: { ...env, R1_NATIVE_TEMP: "0.7" },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^temp +0\.7 +environment +R1_NATIVE_TEMP$/m);
    expect(stdout).toMatch(/^temp +0\.5 +user file \(replaced\)/m);
    expect(stdout).toMatch(/^ctx-size +16384 +user file /m);
    expect(stdout).not.toMatch(/^top-k/m);
  });

  it("shows defaults with --all, and everything as JSON", async () => {
    const { stdout } = await run(["config", "serve", "--all", "--json"], { env });
    const { settings } = JSON.parse(stdout) as { settings: Record<string, unknown>[] };
    const port = settings.find(({ key }) => key === "port");
    expect(port).toMatchObject({ value: "8080", source: "default", variable: "R1_NATIVE_PORT" });
  });

  it("shows no key and no password", async () => {
    set({ "api-key": "secret-1", queue: "redis://me:secret-2@host" });
    for (const command of ["serve", "batch"]) {
      const { stdout } = await run(["config", command], { env });
      expect(stdout).toContain("(hidden)");
      expect(stdout).not.toContain("secret");
    }
  });

  it("refuses a command without settings", async () => {
    const { code, stderr } = await run(["config", "chatt"], { env });
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean chat?");
  });
});
