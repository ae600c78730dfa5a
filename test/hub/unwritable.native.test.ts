// Outputs into a folder that the user may not write to: the error says so, in words, and which
// folder it is. Of all commands that write. Uses dist/.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import { program } from "../cli/program.js";
import { splitGguf } from "../../lib/gguf/split.js";
import { Transcript } from "../fixtures/transcript.js";
import { unprivileged } from "../fixtures/unprivileged.js";
import { at, useHub } from "./setup.js";

useHub();

/** A folder that everyone may read and, but for root, no one may write to. */
function lockedFolder(): string {
  const folder = join(at.dir, "locked");
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o555);
  return folder;
}

async function fail(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const [file = "", ...words] = [...unprivileged, process.execPath, program, ...args];
  const child = spawn(file, words, {
    env: { ...process.env, HF_ENDPOINT: at.hub.endpoint, HF_TOKEN: "hf_x", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stderr = new Transcript(child.stderr);
  expect(await once(child, "close"), stderr.text).toEqual([1, null]);
  return stderr.text;
}

describe.runIf(process.platform === "linux")("a folder without rights", () => {
  const model = DEFAULT_MODEL_PATH;
  const requantize = ["Q4_0", "--allow-requantize"];
  it.each<[string, (folder: string) => string[]]>([
    ["quantize", (folder) => ["quantize", model, join(folder, "x.gguf"), ...requantize]],
    ["quantize", (folder) => ["quantize", model, join(folder, "x"), ...requantize, "--keep-split"]],
    ["split", (folder) => ["split", model, join(folder, "x"), "--max-tensors", "40"]],
    ["imatrix", (folder) => ["imatrix", model, model, "--out", join(folder, "x.gguf")]],
    ["pull", (folder) => ["pull", at.hub.repo, "*.gguf", "--dir", join(folder, "x", "y")]],
  ])("is named by %s", async (_command, args) => {
    const folder = lockedFolder();
    const stderr = await fail(args(folder));
    expect(stderr).toContain("cannot be written: permission denied. Choose another folder");
    expect(stderr).toContain(`change the permissions of "${folder}".`);
    expect(stderr).toContain("code: FILE_UNWRITABLE");
    // Of all names the one that the user gave.
    expect(stderr).not.toMatch(/\.lock"|\.partial/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is named by merge", async () => {
    const prefix = join(at.dir, "part");
    mkdirSync(at.dir, { recursive: true });
    const { paths } = await splitGguf(model, prefix, { maxTensors: 40 });
    const folder = lockedFolder();
    const stderr = await fail(["merge", paths[0] ?? "", join(folder, "x.gguf")]);
    expect(stderr).toContain(`"${join(folder, "x.gguf")}" cannot be written: permission denied`);
    expect(stderr).toContain("code: FILE_UNWRITABLE");
  });

  it.each<[string, string[]]>([
    ["pull", ["pull", "owner/model", "*.gguf"]],
    ["run", ["run", "-hf", "owner/model:Q4_K_M", "-p", "hi"]],
  ])("is named by %s where it is the Hub's cache, with how to choose another", async (_, args) => {
    const folder = lockedFolder();
    const stderr = await fail(args, { HF_HOME: folder });
    expect(stderr).toContain("cannot be written: permission denied");
    expect(stderr).toContain(`The Hub's cache is "${join(folder, "hub")}"; HF_HOME names another.`);
    expect(stderr).toContain("code: FILE_UNWRITABLE");
    expect(readdirSync(folder)).toEqual([]);
  });
});
