// `r1-native chat`: a conversation of many turns in a terminal, or over the lines of a pipe. Main
// thread; the model runs on its own thread.
import { constants, existsSync } from "node:fs";
import { access } from "node:fs/promises";
import { dirname } from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { fileFailure } from "../../base/files/failure.js";
import { isR1Error } from "../../base/errors.js";
import type { Generation, Model, R1ErrorCode } from "../../index.js";
import { demoNotice, modelText } from "../banner.js";
import { ChatSignals } from "../chat/signals.js";
import { Conversation } from "../chat/conversation.js";
import { Interrupted, reportFailure, watchSignals } from "../exit.js";
import { addFlags, collect, flagsOf, setWords } from "../flags.js";
import { answerFlags } from "../flags-answer.js";
import { generateFlags } from "../flags-generate.js";
import { loadFlags } from "../flags-load.js";
import { conversationFlags, outputFlags, promptFlags, sessionFlags } from "../flags-run.js";
import { pipeLines, readTurn, TerminalLines } from "../chat/lines.js";
import type { LineSource } from "../chat/lines.js";
import { useProxy } from "../network.js";
import { openModel } from "../open-model.js";
import { givenPrompt } from "../prompt.js";
import { renderParts, timingsLine, wantsColor, write } from "../render.js";
import type { Settings } from "../settings.js";
import { loadOptionsOf, settingsOf } from "../settings.js";
import { COMMANDS, loadedText, runSlashCommand } from "../chat/slash-commands.js";
import type { ChatState } from "../chat/slash-commands.js";
import { forTerminal } from "../wrap.js";

const HELP = `
In the conversation:
${COMMANDS.replace(/^(?=.)/gm, "  ")}
See docs/cli.md for details.`;

/** Share of the context from which the user is shown how full it is. */
const NEARLY_FULL = 0.8;

/** Errors that end the model, not just one reply. */
const FATAL: readonly R1ErrorCode[] = ["DISPOSED", "ENGINE_CRASHED", "INTERNAL"];

/** The parts of one conversation. */
interface Talk {
  readonly conversation: Conversation;
  readonly model: Model;
  readonly settings: Settings;
  readonly isTerminal: boolean;
  readonly signals: ChatSignals;
}

/** Writes a note that is not part of the reply. */
const note = (text: string): void => void process.stderr.write(forTerminal(text, process.stderr));

/** Shows one reply; Ctrl-C stops it and keeps the text so far. */
async function show(generation: Generation, talk: Talk): Promise<void> {
  const { model, settings, isTerminal } = talk;
  const style = {
    isColored: wantsColor(settings.color, process.stdout, process.env),
    hidesReasoning: settings.hidesReasoning,
  };
  const isWhole = await renderParts(generation, process.stdout, style);
  await write(process.stdout, isWhole ? "\n" : "\n\n");
  const result = await generation.result();
  if (settings.timings === true) note(`${timingsLine(result, model.info)}\n\n`);
  const used = result.usage.promptTokens + result.usage.completionTokens;
  const state = model.info.sequenceContextSize;
  if (used > state * NEARLY_FULL && result.finishReason !== "length")
    note(
      `(${used} of ${state} tokens of the context are used. /reset starts again; a larger ` +
        "--ctx-size makes state.)\n\n",
    );
  else if (isTerminal && settings.timings === undefined)
    note(`${fullness(used, state, settings)}\n\n`);
  if (result.finishReason === "length")
    note("(The reply ended because --n-predict or the context is used up.)\n\n");
}

/** Describes how full the context is, dimmed. */
function fullness(used: number, state: number, { color }: Settings): string {
  const { dim } = pc.createColors(wantsColor(color, process.stderr, process.env));
  return dim(`${used}/${state} tokens`);
}

/**
 * Continues the conversation of --session, or creates its file, so that a path that cannot be
 * written is refused before the first turn.
 */
async function restore(
  { conversation, settings }: Talk,
  say: (text: string) => void,
): Promise<void> {
  const { sessionFile } = settings;
  if (sessionFile === undefined) return;
  if (!existsSync(sessionFile)) return conversation.save(sessionFile);
  await conversation.load(sessionFile);
  try {
    await access(dirname(sessionFile), constants.W_OK);
  } catch (error) {
    throw fileFailure(error, sessionFile, "written");
  }
  say(`Continuing ${loadedText(conversation)}.\n\n`);
}

/** Reads turns until the input ends or the user asks to leave. */
async function takeTurns(
  talk: Talk,
  lines: LineSource,
  first: string | undefined,
  say: (text: string) => void,
  command: Command,
): Promise<void> {
  const { conversation, model, isTerminal, signals } = talk;
  const report = (error: Error): void => {
    if (!isR1Error(error) || FATAL.includes(error.code)) throw error;
    reportFailure(error, command);
    say("\n");
  };
  const state: ChatState = {
    conversation,
    info: model.info,
    say,
    show: (generation) =>
      signals.whileReplying(
        () => generation.cancel(),
        () => show(generation, talk),
      ),
    report,
  };
  const answer = async (text: string): Promise<void> => {
    try {
      await state.show(conversation.send(text));
    } catch (error) {
      // A program that writes to the pipe relies on the exit code.
      if (!isTerminal) throw error;
      report(error as Error);
    }
  };
  if (first !== undefined) {
    if (isTerminal) say(`> ${first}\n`);
    await answer(first);
  }
  for (;;) {
    if (signals.exitCode !== undefined) throw new Interrupted(signals.exitCode);
    const line = await signals.whileAsking(
      () => lines.stop(),
      () => readTurn(lines, "> ", () => say("(Ctrl-D or /exit leaves.)\n")),
    );
    if (signals.exitCode !== undefined) throw new Interrupted(signals.exitCode);
    if (line === undefined) {
      if (isTerminal) say("\n");
      return;
    }
    if (line.startsWith("/")) {
      if (!(await runSlashCommand(line, state))) return;
    } else if (line.trim() !== "") await answer(line);
  }
}

async function chat(command: Command): Promise<void> {
  const bag = collect(command);
  const settings = settingsOf(bag, command.args, "chat");
  const first = givenPrompt(settings);
  const load = loadOptionsOf(bag);
  useProxy(settings.proxy);
  const isDemo = load["path"] === undefined;
  if (isDemo && process.stderr.isTTY)
    process.stderr.write(forTerminal(demoNotice("chat"), process.stderr));
  const loading = watchSignals(() => undefined);
  const model = await openModel(load, {
    isVerbose: settings.isVerbose,
    signal: loading.signal,
  }).finally(() => loading.stop());
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const signals = new ChatSignals();
  const lines = isTerminal
    ? new TerminalLines(process.stdin, process.stdout)
    : pipeLines(process.stdin);
  try {
    const conversation = new Conversation(model, settings, bag.generate, flagsOf(command));
    const talk: Talk = { conversation, model, settings, isTerminal, signals };
    const output = isTerminal ? process.stdout : process.stderr;
    const say = (text: string): void => void output.write(forTerminal(text, output));
    if (isTerminal)
      say(
        `${isDemo ? "" : `${modelText(model.info)}. `}Context ${model.info.contextSize} tokens.\n` +
          "/help lists the commands, Ctrl-D quits.\n\n",
      );
    await restore(talk, say);
    const save = async (): Promise<void> => {
      signals.leave();
      if (settings.sessionFile !== undefined) await conversation.save(settings.sessionFile);
    };
    try {
      await takeTurns(talk, lines, first, say, command);
    } catch (error) {
      // The error that ended the conversation matters more than a failure to save it.
      await save().catch(() => undefined);
      throw error;
    }
    await save();
  } finally {
    lines.close();
    await model.close();
    signals.close();
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("chat")
    .description("hold a conversation of many turns")
    .argument("[prompt...]", "the first turn, in quotes")
    .addHelpText("after", HELP)
    .action(() => chat(command));
  addFlags(command, [
    ...promptFlags,
    ...conversationFlags,
    ...sessionFlags,
    ...loadFlags,
    ...answerFlags,
    ...generateFlags,
    ...outputFlags,
  ]);
  setWords(command, { "complete()": "r1-native run --raw", maxDraft: "--ngram-draft" });
}
