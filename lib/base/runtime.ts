// How this process's own program starts another script, in Node and in the programs that embed or
// replace it. Any JavaScript thread.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { R1Error } from "./errors.js";
import { unpackedPath } from "./package.js";

/** What a script is started with. */
export interface ScriptOptions {
  /** Flags for Node. */
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  /** Environment variables in addition to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A program to start: its file, its arguments and all its environment variables. */
export interface ScriptStart {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Whether the program contains its script, so that it would start itself again instead of another
 * script.
 */
function isSingleExecutable(): boolean {
  const builtin = process.getBuiltinModule?.("node:sea") as { isSea(): boolean } | undefined;
  return builtin?.isSea() ?? false;
}

/**
 * Flags with which a child finds packages under Yarn's Plug'n'Play, where there is no node_modules
 * folder.
 */
function plugAndPlayFlags(): string[] {
  if (process.versions["pnp"] === undefined) return [];
  const hook = createRequire(import.meta.url).resolve("pnpapi");
  const loader = join(dirname(hook), ".pnp.loader.mjs");
  const loads = existsSync(loader) ? ["--experimental-loader", pathToFileURL(loader).href] : [];
  return ["--require", hook, "--no-warnings", ...loads];
}

/**
 * Whether children are started by the runtime's own `spawn` only: Deno's translates Node's flags,
 * and Bun's sockets cannot take over the descriptors of a child that the addon started.
 */
export function needsOwnSpawn(): boolean {
  return process.versions["deno"] !== undefined || process.versions["bun"] !== undefined;
}

/**
 * Returns what makes Electron's program behave as Node instead of starting the app again; nothing
 * outside Electron.
 *
 * @throws {R1Error} `IO_FAILED` if this process was started that way and is an app nevertheless.
 * Without this check, such an app would start itself for ever.
 */
function electronVariables(): Record<string, string> {
  if (process.versions["electron"] === undefined) return {};
  const isApp = (process as { type?: string }).type !== undefined;
  if (isApp && process.env["ELECTRON_RUN_AS_NODE"] !== undefined)
    throw new R1Error(
      "IO_FAILED",
      `${process.execPath} ignores ELECTRON_RUN_AS_NODE, so r1-native cannot start its child ` +
        "programs with it. Build the app with Electron's fuse runAsNode enabled.",
    );
  return { ELECTRON_RUN_AS_NODE: "1" };
}

/**
 * Returns how a script is started as a program of its own. It gets none of this process's Node
 * flags: an inspector's port would already be in use, and loaders of a test runner do not belong
 * there.
 *
 * @throws {R1Error} `IO_FAILED` where this process's program cannot run another script.
 */
export function scriptStart(
  module: URL,
  { flags = [], args = [], env = {} }: ScriptOptions = {},
): ScriptStart {
  if (isSingleExecutable())
    throw new R1Error(
      "IO_FAILED",
      `Cannot start a script with ${process.execPath}, because it is a single executable ` +
        "application, which runs only its own script. Run r1-native in a process of Node.",
    );
  const { NODE_OPTIONS: _flags, ...inherited } = process.env;
  const script = unpackedPath(fileURLToPath(module));
  return {
    file: process.execPath,
    args: [...plugAndPlayFlags(), ...flags, script, ...args],
    env: { ...inherited, ...electronVariables(), ...env },
  };
}
