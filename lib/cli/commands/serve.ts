// `r1-native serve`: models on a port of this machine, for OpenAI's clients, until Ctrl-C; main
// thread.
import type { Command } from "commander";
import { basename } from "node:path";
import { pino } from "pino";
import { documentAddress } from "../../base/documents.js";
import { R1Error, isR1Error } from "../../base/errors.js";
import { isHubReference } from "../../hub.js";
import type { ChatModel } from "../../index.js";
import type { RunningServer, ServerLogger, ServerOptions } from "../../server.js";
import { demoNotice } from "../banner.js";
import { COMMAND_FLAGS } from "../command-flags.js";
import { watchSignals } from "../exit.js";
import { addFlags, collect, setWords } from "../flags.js";
import { useProxy } from "../network.js";
import { openModel } from "../open-model.js";
import { loadOptionsOf } from "../settings.js";
import { forTerminal } from "../wrap.js";

const HELP = `
Examples:
  r1-native serve
  r1-native serve -m DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf --alias r1 -np 4 -c 32768
  r1-native serve --host 0.0.0.0 --api-key-file keys.txt
  curl localhost:8080/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"messages":[{"role":"user","content":"What is 1+1?"}]}'

Ctrl-C lets running requests end for --drain seconds; a second one ends at once.
See ${documentAddress("guide/server.md")} for details.`;

/** Options of `createApp` whose flags have their names. */
const APP_KEYS = [
  "apiKeys",
  "apiKeyFile",
  "allowedHosts",
  "corsOrigins",
  "basePath",
  "anyModel",
  "reasoningFormat",
  "keepAlive",
  "keepAliveForm",
  "timeout",
  "metrics",
  "slots",
  "limits",
] as const satisfies readonly (keyof ServerOptions)[];

const LISTEN_KEYS = ["host", "port", "allowUnauthenticated", "tlsKeyFile", "tlsCertFile"] as const;

/** Contexts that are tried, largest first, when the command line names none. */
const CONTEXTS = [32_768, 16_384, 8192] as const;

const GIB = 2 ** 30;

function pick(
  given: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(
    keys.filter((key) => given[key] !== undefined).map((key) => [key, given[key]]),
  );
}

function makeLogger(run: Readonly<Record<string, unknown>>): ServerLogger {
  const isVerbose = run["verbose"] === true;
  const level = (run["logLevel"] as string | undefined) ?? (isVerbose ? "debug" : "info");
  const isText =
    run["logFormat"] === undefined ? process.stderr.isTTY : run["logFormat"] === "text";
  if (!isText) return pino({ level, base: null }, pino.destination({ fd: 2, sync: true }));
  const lines = { write: (line: string) => void process.stderr.write(textLine(line)) };
  return pino({ level, base: null, timestamp: false }, lines);
}

/** A log line for people: the message, then the facts. */
function textLine(line: string): string {
  const { level, msg, err, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const word = Number(level) >= 50 ? "error: " : Number(level) >= 40 ? "warning: " : "";
  const why = (err as { message?: string } | undefined)?.message;
  const shown = Object.entries(facts).map(([key, value]) => ` ${key}=${String(value)}`);
  return `${word}${String(msg)}${shown.join("")}${why === undefined ? "" : `: ${why}`}\n`;
}

/** Loads a model; without a context size of the user's the largest of a few that fits. */
async function loadFitting(
  load: Readonly<Record<string, unknown>>,
  isVerbose: boolean,
  signal: AbortSignal,
): Promise<ChatModel> {
  const full = { sequences: 4, kvUnified: true, ...load };
  const hasGuests =
    load["kvUnified"] !== false && load["deterministic"] !== true && full.sequences < 256;
  if (hasGuests) Object.assign(full, { guestSequence: true });
  const settings = { isVerbose, signal };
  if (load["contextSize"] !== undefined) return openModel(full, settings);
  for (const contextSize of CONTEXTS) {
    try {
      return await openModel({ ...full, contextSize }, settings);
    } catch (error) {
      if (!isR1Error(error, "OUT_OF_MEMORY") || contextSize === CONTEXTS.at(-1)) throw error;
    }
  }
  throw new R1Error("INTERNAL", "No context was tried.");
}

/** A file that is missing or is no model ends the program before its port is open. */
async function checkFiles(paths: readonly unknown[]): Promise<void> {
  const { inspectGguf } = await import("../../files.js");
  for (const path of paths)
    if (typeof path === "string" && !isHubReference(path)) await inspectGguf(path);
}

/** The name of a model that has no `--alias`. */
function defaultName(path: unknown): string {
  if (typeof path !== "string") return "tiny-r1";
  const file = basename(path).replace(/(?:-\d{5}-of-\d{5})?\.gguf$/i, "");
  return file.replace(/[^\w.:-]/g, "-") || "r1";
}

async function run(command: Command): Promise<void> {
  const bag = collect(command);
  if (command.args.length > 0)
    throw new R1Error(
      "INVALID_ARGUMENT",
      `serve takes flags only, not ${JSON.stringify(command.args[0])}. Give a model with --model FILE.`,
    );
  const { run: given } = bag;
  const load = loadOptionsOf(bag);
  useProxy(given["proxy"] as string | undefined);
  const isVerbose = given["verbose"] === true;
  const logger = makeLogger(given);
  const { createApp, serve } = await import("../../server.js");
  const drainMs = Math.max(0, Math.round(Number(given["drain"] ?? 30) * 1000));
  let server: RunningServer | undefined;
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const watch = watchSignals(() => stop());
  const [name = defaultName(load["path"]), ...others] =
    (given["alias"] as string[] | undefined) ?? [];
  const further = (given["addModel"] as (readonly [string, string])[] | undefined) ?? [];
  await checkFiles([load["path"], ...further.map(([, file]) => file)]);
  const opens = (path: unknown) => (): Promise<ChatModel> =>
    loadFitting(path === undefined ? load : { ...load, path }, isVerbose, watch.signal);
  const app = createApp(
    Object.fromEntries([
      [name, opens(load["path"])],
      ...further.map(([one, file]) => [one, opens(file)]),
    ]) as Record<string, () => Promise<ChatModel>>,
    {
      ...(pick(given, APP_KEYS) as ServerOptions),
      ...(given["keepAliveForm"] === "off" ? { keepAliveForm: "comment", keepAlive: 0 } : {}),
      ...(given["noAuxiliary"] === true ? { auxiliary: [] } : {}),
      ...(given["modelsMemory"] === undefined
        ? {}
        : { maxModelBytes: Math.round(Number(given["modelsMemory"]) * GIB) }),
      aliases: Object.fromEntries(others.map((other) => [other, name])),
      defaults: bag.generate,
      logger,
    },
  );
  try {
    if (load["path"] === undefined && process.stderr.isTTY)
      process.stderr.write(forTerminal(demoNotice("serve"), process.stderr));
    server = await serve(app, pick(given, LISTEN_KEYS));
    process.stdout.write(`listening on ${server.url}\n`);
    // A model that cannot be loaded ends the program; requests wait for it with 503 until then.
    const loaded = app.load(name).then(() => logger.info({ model: name }, "the model is loaded"));
    await Promise.race([stopped, loaded]);
    await stopped;
  } catch (error) {
    if (watch.exitCode === undefined) throw error;
  } finally {
    if (watch.exitCode !== undefined)
      logger.info({ seconds: drainMs / 1000 }, "shutting down: running requests may end");
    watch.stop();
    await server?.close({ drainMs });
    await app.close();
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("serve")
    .addHelpText("after", HELP)
    .action(() => run(command));
  command.allowExcessArguments(true);
  addFlags(command, COMMAND_FLAGS.serve);
  setWords(command, { apiKeys: "--api-key", allowUnauthenticated: "--no-auth", port: "--port" });
}
