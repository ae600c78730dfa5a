// `r1-native run`: one prompt, one streamed reply; accepts llama.cpp's command lines. Main thread;
// the model runs on its own thread.
import type { Command } from "commander";
import { documentAddress } from "../../base/documents.js";
import type { Generation, Model } from "../../index.js";
import { Interrupted, watchSignals } from "../exit.js";
import { demoNotice } from "../banner.js";
import { COMMAND_FLAGS } from "../command-flags.js";
import { addFlags, collect, setWords } from "../flags.js";
import { useProxy } from "../network.js";
import { openModel } from "../open-model.js";
import { readPrompt } from "../prompt.js";
import { listDevices } from "./devices.js";
import {
  renderJsonLines,
  renderParts,
  resultJson,
  timingsLine,
  wantsColor,
  write,
} from "../render.js";
import type { Settings } from "../settings.js";
import { loadOptionsOf, settingsOf } from "../settings.js";
import { forTerminal } from "../wrap.js";

const HELP = `
Examples:
  r1-native "What is 1+1?"
  r1-native -hf unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:Q4_K_M "What is 1+1?"
  r1-native run -m DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf -ctk q4_0 -no-cnv --prio 2 --temp 0.6 -c 8192 --seed 3407 \\
    -p "<｜User｜>What is 1+1?<｜Assistant｜>"
  git diff | r1-native run -sys "Review this change." --hide-reasoning

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted by Ctrl-C.
See ${documentAddress("reference/cli.md")} for details.`;

/**
 * Waits for the prompt, or until a signal arrives. After a signal nothing more is read, so that an
 * open pipe does not keep the program alive.
 */
async function unlessInterrupted(prompt: Promise<string>, signal: AbortSignal): Promise<string> {
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => {
      reject(signal.reason as Error);
      process.stdin.destroy();
    });
  });
  prompt.catch(() => undefined);
  interrupted.catch(() => undefined);
  return Promise.race([prompt, interrupted]);
}

/** Returns the ids of a raw prompt as `model.complete` sends them: with one BOS in front. */
function rawTokens({ tokenizer }: Model, prompt: string): Int32Array {
  const ids = tokenizer.encode(prompt, { special: true });
  return tokenizer.bos < 0 || ids[0] === tokenizer.bos ? ids : Int32Array.of(tokenizer.bos, ...ids);
}

/** Prints each token of a prompt on its own line, in llama.cpp's format. */
function showTokens(model: Model, tokens: Int32Array): void {
  process.stderr.write(`${tokens.length} prompt tokens\n`);
  for (const token of tokens)
    process.stderr.write(
      `${String(token).padStart(6)} -> ${JSON.stringify(model.tokenizer.decode(Int32Array.of(token)))}\n`,
    );
}

async function show(generation: Generation, settings: Settings): Promise<void> {
  const style = {
    isColored: wantsColor(settings.color, process.stdout, process.env),
    hidesReasoning: settings.hidesReasoning,
    isTerminal: process.stdout.isTTY,
  };
  if (settings.output === "json")
    await write(process.stdout, resultJson(await generation.result()));
  else if (settings.output === "json-stream") await renderJsonLines(generation, process.stdout);
  else if (!(await renderParts(generation, process.stdout, style)))
    await write(process.stdout, "\n");
}

async function run(command: Command): Promise<void> {
  const bag = collect(command);
  if (bag.run["listDevices"] === true) {
    await listDevices({ backendDir: bag.load["backendDir"] as string | undefined });
    return;
  }
  const settings = settingsOf(bag, command.args);
  let generation: Generation | undefined;
  const watch = watchSignals(() => generation?.cancel());
  let model: Model | undefined;
  try {
    const prompt = await unlessInterrupted(readPrompt(settings), watch.signal);
    const load = loadOptionsOf(bag);
    useProxy(settings.proxy);
    if (load["path"] === undefined && process.stderr.isTTY)
      process.stderr.write(forTerminal(demoNotice("run"), process.stderr));
    model = await openModel(load, {
      isVerbose: settings.isVerbose,
      signal: watch.signal,
    });
    watch.signal.throwIfAborted();
    const messages = [
      ...(settings.system === undefined
        ? []
        : [{ role: "system" as const, content: settings.system }]),
      { role: "user" as const, content: prompt },
    ];
    const chatOptions = {
      openThink: settings.openThink,
      ...(settings.template === undefined ? {} : { template: settings.template }),
    };
    if (settings.showsPromptTokens) {
      showTokens(
        model,
        settings.isRaw ? rawTokens(model, prompt) : model.formatChat(messages, chatOptions).tokens,
      );
    }
    generation = settings.isRaw
      ? model.complete(prompt, bag.generate)
      : model.chat(messages, { ...bag.generate, ...chatOptions });
    if (settings.showsPrompt && settings.output === "text")
      await write(process.stdout, `${prompt}\n`);
    await show(generation, settings);
    const result = await generation.result();
    if (settings.timings ?? process.stderr.isTTY)
      process.stderr.write(forTerminal(`\n${timingsLine(result, model.info)}\n`, process.stderr));
    if (watch.exitCode !== undefined) throw new Interrupted(watch.exitCode);
  } finally {
    watch.stop();
    await model?.close();
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("run")
    .argument("[prompt...]", "the prompt, in quotes; else -p, -f or a pipe")
    .addHelpText("after", HELP)
    .action(() => run(command));
  addFlags(command, COMMAND_FLAGS.run);
  setWords(command, { "complete()": "--raw", maxDraft: "--ngram-draft" });
}
