// Who may download, and what downloadModel refuses to begin with.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { downloadModel } from "../../lib/hub/download.js";
import { at, big, bigPath, failure, onlyBig, pull, useHub } from "./setup.js";

useHub();

describe("a private repository", () => {
  it("is refused without a token, opened with it, and the token goes to no other host", async () => {
    at.hub.token = "hf_secret";
    const error = await failure(pull());
    expect(error.code).toBe("FILE_UNREADABLE");
    expect(error.message).toContain("Invalid username or password");
    await pull({ token: "hf_secret" });
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
    expect(at.hub.leaked).toEqual([]);
    expect((await failure(pull({ token: "hf_wrong" }))).message).not.toContain("hf_wrong");
  });

  it("takes token and endpoint from the environment", async () => {
    at.hub.token = "hf_env";
    const before = { ...process.env };
    Object.assign(process.env, {
      HF_TOKEN: "hf_env",
      HF_ENDPOINT: at.hub.endpoint,
      HF_HOME: at.dir,
    });
    try {
      const result = await downloadModel(at.hub.repo, onlyBig);
      expect(
        result.folder.startsWith(join(at.dir, "hub", "models--owner--model", "snapshots")),
      ).toBe(true);
      mkdirSync(at.dir, { recursive: true });
      delete process.env["HF_TOKEN"];
      expect((await failure(downloadModel(at.hub.repo, onlyBig))).code).toBe("FILE_UNREADABLE");
      writeFileSync(join(at.dir, "token"), "hf_env\n");
      await downloadModel(at.hub.repo, onlyBig);
    } finally {
      process.env = before;
    }
  });
});

describe("an option", () => {
  const wrong: [name: string, repo: string, options: Record<string, unknown>, code: string][] = [
    ["misspelt", "a/b", { allowPattern: "*" }, "UNKNOWN_OPTION"],
    ["dir beside cache", "a/b", { dir: "x", cache: "y" }, "INVALID_ARGUMENT"],
    ["a revision that climbs", "a/b", { revision: "../../x" }, "INVALID_ARGUMENT"],
    ["an endpoint that is none", "a/b", { endpoint: "ftp://x" }, "INVALID_ARGUMENT"],
    ["a token with a line break", "a/b", { token: "hf_a\nb" }, "INVALID_ARGUMENT"],
    ["no parallel requests", "a/b", { parallel: 0 }, "INVALID_ARGUMENT"],
    ["a repository without owner", "b", {}, "INVALID_ARGUMENT"],
    ["a repository that climbs", "a/..", {}, "INVALID_ARGUMENT"],
    ["a repository with a query", "a/b?c=d", {}, "INVALID_ARGUMENT"],
  ];
  it.each(wrong)("%s is refused before anything is asked", async (_name, repo, options, code) => {
    const error = await failure(downloadModel(repo, { endpoint: at.hub.endpoint, ...options }));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain("hf_a");
    expect(at.hub.apiCount).toBe(0);
  });
});
