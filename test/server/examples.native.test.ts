// Each example of mounting answers at its path, and ends on SIGTERM.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chunksOf, textOf } from "./app.js";

const root = join(import.meta.dirname, "../..");

test.each(["hono/server.mjs", "express/server.mjs", "fastify/server.mjs", "server.mjs"])(
  "examples/%s",
  async (name) => {
    const file = join(root, "examples", name);
    expect(readFileSync(file, "utf8").split("\n").length).toBeLessThan(60);
    const child = spawn(process.execPath, [file], {
      cwd: root,
      env: { ...process.env, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    try {
      const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
      const base = /http:\S+/.exec(line)?.[0] ?? "";
      const url = base.endsWith("/v1") ? base : `${base}/v1`;
      const body = { messages: [{ role: "user", content: "What is 1+1?" }], stream: true };
      const chunks = await chunksOf(
        fetch(`${url}/chat/completions`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      );
      expect(textOf(chunks, "content")).toMatch(/\S/);
      child.kill("SIGTERM");
      const [code] = (await exited) as [number | null];
      expect(code).toBe(0);
    } finally {
      child.kill("SIGKILL");
    }
  },
);
