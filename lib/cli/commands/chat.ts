// `r1-native chat`: a conversation of many turns in the terminal, or over the lines of a pipe. Main thread; the model works on its own.
import type { Command } from "commander";
import type { ChatSession, Generation, GenerateOptions, Model } from "../../index.js";
import { EXIT, Interrupted, watchSignals } from "../exit.js";
import { demoNotice, modelText } from "../banner.js";
import { addFlags, collect, setWords } from "../flags.js";
import { answerFlags } from "../flags-answer.js";
import { generateFlags } from "../flags-generate.js";
import { loadFlags } from "../flags-load.js";
import { conversationFlags, outputFlags, promptFlags } from "../flags-run.js";
import { pipeLines, readTurn, TerminalLines } from "../lines.js";
import { useProxy } from "../network.js";
import { openModel } from "../open-model.js";
import { givenPrompt } from "../prompt.js";
import { renderParts, timingsLine, wantsColor, write } from "../render.js";
import type { Settings } from "../settings.js";
import { loadOptionsOf, settingsOf } from "../settings.js";

const COMMANDS = `/help           this list
/reset          forget the conversation
/system TEXT    set the system prompt and begin again; without TEXT: no system prompt
/exit           leave; so does Ctrl-D
Ctrl-C          stop the reply that is being written
A line that ends in \\ goes on in the next one.
`;

const HELP = `
In the conversation:
${COMMANDS.replace(/^(?=.)/gm, "  ")}
docs/cli.md tells more.`;

/** The conversation, and what the slash commands change of it. */
class Conversation {
  #session: ChatSession;
  #system: string | undefined;
  readonly #model: Model;
  readonly #settings: Settings;

  constructor(model: Model, settings: Settings) {
    this.#model = model;
    this.#settings = settings;
    this.#system = settings.system;
    this.#session = this.#begin();
  }

  reset(): void {
    this.#session = this.#begin();
  }

  setSystem(text: string): void {
    this.#system = text === "" ? undefined : text;
    this.reset();
  }

  send(text: string, options: GenerateOptions): Generation {
    return this.#session.send(text, {
      ...options,
      openThink: this.#settings.openThink,
      ...(this.#settings.template === undefined ? {} : { template: this.#settings.template }),
    });
  }

  #begin(): ChatSession {
    return this.#model.session(this.#system === undefined ? {} : { system: this.#system });
  }
}

/** Carries out a line that begins with a slash. Returns false when it asks to leave. */
function obey(line: string, conversation: Conversation, say: (text: string) => void): boolean {
  const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  switch (name) {
    case "exit":
    case "quit":
    case "bye":
      return false;
    case "reset":
    case "clear":
      conversation.reset();
      say("The conversation begins anew.\n");
      return true;
    case "system":
      conversation.setSystem(rest.trim());
      say(
        rest.trim() === ""
          ? "No system prompt. The conversation begins anew.\n"
          : "The system prompt is set. The conversation begins anew.\n",
      );
      return true;
    case "help":
    case "?":
      say(COMMANDS);
      return true;
    default:
      say(
        `There is no command /${name}. /help lists them; begin with a space to send a text that begins with a slash.\n`,
      );
      return true;
  }
}

/** Share of the context beyond which a person is told how full it is. */
const NEARLY_FULL = 0.8;

/** Writes one reply; Ctrl-C stops it and keeps what there is. */
async function reply(
  conversation: Conversation,
  text: string,
  options: GenerateOptions,
  model: Model,
  settings: Settings,
): Promise<void> {
  let generation: Generation | undefined;
  const watch = watchSignals(() => generation?.cancel());
  try {
    generation = conversation.send(text, options);
    const style = {
      isColored: wantsColor(settings.color, process.stdout, process.env),
      hidesReasoning: settings.hidesReasoning,
    };
    const isWhole = await renderParts(generation, process.stdout, style);
    await write(process.stdout, isWhole ? "\n" : "\n\n");
    const result = await generation.result();
    if (settings.timings === true) process.stderr.write(`${timingsLine(result, model.info)}\n\n`);
    const used = result.usage.promptTokens + result.usage.completionTokens;
    const room = model.info.sequenceContextSize;
    if (used > room * NEARLY_FULL && result.finishReason !== "length")
      process.stderr.write(
        `(${used} of ${room} tokens of the context are used. /reset begins anew; --ctx-size makes room.)\n\n`,
      );
    if (result.finishReason === "length")
      process.stderr.write("(The reply ended because --n-predict or the context is used up.)\n\n");
    if (watch.exitCode === EXIT.terminated) throw new Interrupted(EXIT.terminated);
  } finally {
    watch.stop();
  }
}

async function chat(command: Command): Promise<void> {
  const bag = collect(command);
  const settings = settingsOf(bag, command.args, "chat");
  const first = givenPrompt(settings);
  const load = loadOptionsOf(bag);
  useProxy(settings.proxy);
  const isDemo = load["path"] === undefined;
  if (isDemo && process.stderr.isTTY) process.stderr.write(demoNotice("chat"));
  const loading = watchSignals(() => undefined);
  const model = await openModel(load, {
    isVerbose: settings.isVerbose,
    signal: loading.signal,
  }).finally(() => loading.stop());
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const lines = isTerminal
    ? new TerminalLines(process.stdin, process.stdout)
    : pipeLines(process.stdin);
  try {
    const conversation = new Conversation(model, settings);
    const say = (text: string): void =>
      void (isTerminal ? process.stdout : process.stderr).write(text);
    if (isTerminal)
      say(
        `${isDemo ? "" : `${modelText(model.info)}. `}Context ${model.info.contextSize} tokens.\n` +
          "/help lists the commands, Ctrl-D leaves.\n\n",
      );
    if (first !== undefined) {
      if (isTerminal) say(`> ${first}\n`);
      await reply(conversation, first, bag.generate, model, settings);
    }
    for (;;) {
      const line = await readTurn(lines, "> ", () => say("(Ctrl-D or /exit leaves.)\n"));
      if (line === undefined) {
        if (isTerminal) say("\n");
        break;
      }
      if (line.startsWith("/")) {
        if (!obey(line, conversation, say)) break;
      } else if (line.trim() !== "") {
        await reply(conversation, line, bag.generate, model, settings);
      }
    }
  } finally {
    lines.close();
    await model.close();
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
    ...loadFlags,
    ...answerFlags,
    ...generateFlags,
    ...outputFlags,
  ]);
  setWords(command, { "complete()": "r1-native run --raw", maxDraft: "--ngram-draft" });
}
