// `r1-native chat`: a conversation of many turns in a terminal, or over the lines of a pipe. Main
// thread; the model runs on its own thread.
import { constants, existsSync } from "node:fs";
import { access } from "node:fs/promises";
import { dirname } from "node:path";
import type { Command } from "commander";
import { documentAddress } from "../../base/documents.js";
import { fileFailure } from "../../base/files/failure.js";
import { isR1Error } from "../../base/errors.js";
import type { R1ErrorCode } from "../../index.js";
import { demoNotice, modelText } from "../banner.js";
import { Attachments } from "../chat/attachments.js";
import { Conversation } from "../chat/conversation.js";
import { ChatHistory, historyPath } from "../chat/history.js";
import { TerminalLines } from "../chat/lines.js";
import type { LineSource } from "../chat/lines.js";
import { ModelHolder } from "../chat/model-holder.js";
import { showReply } from "../chat/reply.js";
import { ChatSignals } from "../chat/signals.js";
import {
  completeLine,
  HELP as COMMANDS,
  loadedText,
  runSlashCommand,
} from "../chat/slash-commands.js";
import type { ChatState } from "../chat/state.js";
import { pipeLines, readTurn } from "../chat/turns.js";
import { COMMAND_FLAGS } from "../command-flags.js";
import { Interrupted, reportFailure } from "../exit.js";
import { addFlags, collect, flagsOf, setWords } from "../flags.js";
import { useProxy } from "../network.js";
import { givenPrompt } from "../prompt.js";
import type { Settings } from "../settings.js";
import { loadOptionsOf, namedModel, settingsOf } from "../settings.js";
import { forTerminal } from "../wrap.js";

const HELP = `
In the conversation:
${COMMANDS.replace(/^(?=.)/gm, "  ")}
See ${documentAddress("reference/cli.md")} for details.`;

/** Errors that end the model, not just one reply. */
const FATAL: readonly R1ErrorCode[] = ["DISPOSED", "ENGINE_CRASHED", "INTERNAL"];

/** The parts of one conversation. */
interface Talk {
  readonly conversation: Conversation;
  readonly lines: LineSource;
  readonly settings: Settings;
  readonly isTerminal: boolean;
  readonly signals: ChatSignals;
  readonly models: ModelHolder;
  /** Shows a message to the user. */
  readonly say: (text: string) => void;
  readonly command: Command;
}

/**
 * Continues the conversation of --session, or creates its file, so that a path that cannot be
 * written is refused before the first turn.
 */
async function restore({ conversation, settings, say }: Talk): Promise<void> {
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

/** What the slash commands of a conversation work with. */
function stateOf(talk: Talk): ChatState {
  const { conversation, lines, models, isTerminal, settings, signals, say, command } = talk;
  const attachments = new Attachments();
  const state: ChatState = {
    conversation,
    attachments,
    isTerminal,
    info: () => models.model.info,
    say,
    show: (generation) =>
      signals.whileReplying(
        () => generation.cancel(),
        async () => {
          lines.onIdleTab = () => generation.endReasoning();
          await showReply(generation, { info: models.model.info, settings, isTerminal }).finally(
            () => (lines.onIdleTab = undefined),
          );
        },
      ),
    send: async (text) => {
      try {
        await state.show(conversation.send(attachments.with(text)));
      } catch (error) {
        // A program that writes to the pipe relies on the exit code.
        if (!isTerminal) throw error;
        state.report(error as Error);
      }
    },
    report: (error) => {
      if (!isR1Error(error) || FATAL.includes(error.code)) throw error;
      reportFailure(error, command);
      say("\n");
    },
    away: (work) => lines.away(work),
    switchModel: async (name) => {
      try {
        await models.replace(namedModel(name, "/model"), conversation);
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        say("The load was stopped. The earlier model answers.\n");
      }
    },
  };
  return state;
}

/** Reads turns until the input ends or the user asks to leave. */
async function takeTurns(talk: Talk, first: string | undefined): Promise<void> {
  const { lines, isTerminal, signals, say } = talk;
  const state = stateOf(talk);
  if (first !== undefined) {
    if (isTerminal) say(`> ${first}\n`);
    await state.send(first);
  }
  for (;;) {
    if (signals.exitCode !== undefined) throw new Interrupted(signals.exitCode);
    const line = await signals.whileAsking(
      () => lines.stop(),
      () => readTurn(lines, "> ", () => say("(Ctrl-C again, Ctrl-D or /exit leaves.)\n")),
    );
    if (signals.exitCode !== undefined) throw new Interrupted(signals.exitCode);
    if (line === undefined) {
      if (isTerminal) say("\n");
      return;
    }
    if (line.startsWith("/")) {
      if (!(await runSlashCommand(line, state))) return;
    } else if (line.trim() !== "") await state.send(line);
  }
}

/** The lines of a terminal, with history and completion. */
async function terminalLines(
  { hasHistory }: Settings,
  conversation: Conversation,
): Promise<LineSource> {
  const history = hasHistory ? await ChatHistory.open(historyPath()) : ChatHistory.none;
  return new TerminalLines(process.stdin, process.stdout, {
    history: history.earlier,
    onLine: (line) => history.add(line),
    complete: (line) => completeLine(line, conversation.settableFlags),
  });
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
  const models = await ModelHolder.open(load, settings.isVerbose);
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const signals = new ChatSignals();
  let lines: LineSource | undefined;
  try {
    const { model } = models;
    const conversation = new Conversation(model, settings, bag.generate, flagsOf(command));
    lines = isTerminal ? await terminalLines(settings, conversation) : pipeLines(process.stdin);
    const output = isTerminal ? process.stdout : process.stderr;
    const say = (text: string): void => void output.write(forTerminal(text, output));
    const talk = { conversation, lines, settings, isTerminal, signals, models, say, command };
    if (isTerminal)
      say(
        `${isDemo ? "" : `${modelText(model.info)}. `}Context ${model.info.contextSize} tokens.\n` +
          "/help lists the commands, Ctrl-D quits.\n\n",
      );
    await restore(talk);
    const save = async (): Promise<void> => {
      signals.leave();
      if (settings.sessionFile !== undefined) await conversation.save(settings.sessionFile);
    };
    try {
      await takeTurns(talk, first);
    } catch (error) {
      // The error that ended the conversation matters more than a failure to save it.
      await save().catch(() => undefined);
      throw error;
    }
    await save();
  } finally {
    lines?.close();
    await models.model.close();
    signals.close();
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("chat")
    .argument("[prompt...]", "the first turn, in quotes")
    .addHelpText("after", HELP)
    .action(() => chat(command));
  addFlags(command, COMMAND_FLAGS.chat);
  setWords(command, { "complete()": "r1-native run --raw", maxDraft: "--ngram-draft" });
}
