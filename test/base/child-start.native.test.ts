// Children as the addon starts them: their connection, their end, and what they inherit.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChild } from "../../lib/base/child.js";
import { native } from "../../lib/binding/load.js";

const folder = mkdtempSync(join(tmpdir(), "r1-child-"));
beforeAll(() => void native());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program of these lines; `link` is its connection. */
function program(name: string, ...lines: string[]): URL {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(
    path,
    [
      'import { Socket } from "node:net";',
      "const link = new Socket({ fd: 3, readable: true, writable: true });",
      ...lines,
    ].join("\n"),
  );
  return pathToFileURL(path);
}

const received = (stream: NodeJS.ReadableStream): { text: string } => {
  const got = { text: "" };
  stream.setEncoding("utf8").on("data", (piece: string) => (got.text += piece));
  return got;
};

const descriptors = (): number => readdirSync("/proc/self/fd").length;

describe.runIf(process.platform === "linux")("a child started by the addon", () => {
  it("reads and writes its link, and ends with its exit code", async () => {
    const child = startChild(
      program("echo", 'link.once("data", (data) => link.end(`${data}!`, () => process.exit(7)));'),
    );
    const got = received(child.link);
    child.link.write("hello");
    expect(await child.ended).toEqual({ code: 7, signal: null });
    expect(got.text).toBe("hello!");
  });

  it("reports the signal that ended it, and its last words", async () => {
    const child = startChild(
      program(
        "signal",
        'process.stderr.write("farewell\\n", () => process.kill(process.pid, "SIGTERM"));',
      ),
    );
    received(child.link);
    expect(await child.ended).toEqual({ code: null, signal: "SIGTERM" });
    expect(child.tail).toBe("farewell\n");
  });

  it("gets arguments, flags and variables, but no NODE_OPTIONS", async () => {
    process.env["NODE_OPTIONS"] = "--no-warnings";
    try {
      const child = startChild(
        program(
          "inherit",
          "const { NODE_OPTIONS, R1_ADDED, PATH } = process.env;",
          "const [, , ...args] = process.argv;",
          "link.end(JSON.stringify({ args, flags: process.execArgv, NODE_OPTIONS, R1_ADDED, PATH }));",
        ),
        { flags: ["--max-old-space-size=64"], args: ["a b", "ö"], env: { R1_ADDED: "x=y" } },
      );
      const got = received(child.link);
      await child.ended;
      expect(JSON.parse(got.text)).toEqual({
        args: ["a b", "ö"],
        flags: ["--max-old-space-size=64"],
        R1_ADDED: "x=y",
        PATH: process.env["PATH"],
      });
    } finally {
      delete process.env["NODE_OPTIONS"];
    }
  });

  it("ends by kill, once, and kill afterwards does nothing", async () => {
    const child = startChild(program("wait", "setInterval(() => undefined, 1000);"));
    received(child.link);
    child.kill();
    expect(await child.ended).toEqual({ code: null, signal: "SIGKILL" });
    child.kill();
  });

  it("ends even where a program it started holds its error output", async () => {
    const child = startChild(
      program(
        "orphan",
        'import { spawn } from "node:child_process";',
        'const held = spawn("sleep", ["30"], { stdio: ["ignore", "ignore", "inherit"], detached: true });',
        "held.unref();",
        "link.end(`${held.pid}`, () => process.exit(0));",
      ),
    );
    const got = received(child.link);
    expect(await child.ended).toEqual({ code: 0, signal: null });
    process.kill(Number(got.text));
  });

  it("leaves no descriptor and no dead process", async () => {
    const done = program("done", "link.end();");
    const before = descriptors();
    const pids = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = startChild(done);
        received(child.link);
        await child.ended;
        return child.pid;
      }),
    );
    expect(descriptors()).toBe(before);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });

  it("is refused in words where the program is not there", () => {
    expect(() =>
      native().startChild({ file: join(folder, "none"), arguments: [], environment: [] }),
    ).toThrow(expect.objectContaining({ code: "IO_FAILED" }) as Error);
  });

  it("starts without a copy of this process's memory", () => {
    // By fork() the page tables of 1 GiB take 100 ms and more.
    const large = Buffer.alloc(2 ** 30, 1);
    const times = [1, 2, 3].map(() => {
      const start = performance.now();
      const child = startChild(program("nothing", "link.end();"));
      received(child.link);
      return performance.now() - start;
    });
    expect(large[large.length - 1]).toBe(1);
    expect(Math.min(...times)).toBeLessThan(50);
  });
});
