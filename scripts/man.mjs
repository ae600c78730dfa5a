// Writes the manual page man/r1-native.1 from the program's own tables of commands and flags: `npm
// run man` after a build. test/cli/man.native.test.ts shows that the page is current.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { HELP as CHAT_COMMANDS } from "../dist/cli/chat/slash-commands.js";
import { COMMANDS } from "../dist/cli/command-files.js";
import { COMMAND_FLAGS, hasFlagTable } from "../dist/cli/command-flags.js";
import { loadCommand } from "../dist/cli/load-command.js";
import { versions } from "../dist/cli/versions.js";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Writes a text so that roff takes nothing in it as its own. */
function roff(text) {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replaceAll("'", "\\(aq")
    .replace(/[^ -~\n\t]/gu, (sign) => {
      const code = sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
      return `\\[u${code}]`;
    })
    .replace(/^\./gm, "\\&.");
}

const bold = (text) => `\\fB${roff(text)}\\fR`;
const italic = (text) => `\\fI${roff(text)}\\fR`;

/** A tagged paragraph: a flag or a file, and what it is. */
const item = (head, text) => `.TP\n${head}\n${roff(text)}`;

/** Text that keeps its lines. */
const block = (text) => [".PP", ".nf", ".RS 4", roff(text.trimEnd()), ".RE", ".fi"].join("\n");

function flagItem({ names, value, optionalValues, doc }) {
  const head = names.map(bold).join(", ");
  const shown =
    value === undefined ? "" : optionalValues === undefined ? italic(value) : `[${italic(value)}]`;
  return item(shown === "" ? head : `${head} ${shown}`, doc);
}

/** The flags of a table under their headings; those that `run` has too are left to it. */
function tableText(name) {
  const shared = new Set(name === "run" ? [] : COMMAND_FLAGS.run);
  const visible = COMMAND_FLAGS[name].filter(({ hidden }) => hidden !== true);
  const own = visible.filter((flag) => !shared.has(flag));
  const headings = [...new Set(own.map(({ group }) => group))];
  const parts = headings.flatMap((heading) => [
    `.PP\n${bold(heading.replace(/:$/, ""))}`,
    ...own.filter(({ group }) => group === heading).map(flagItem),
  ]);
  const rest = [...new Set(visible.filter((flag) => shared.has(flag)).map(({ group }) => group))];
  if (rest.length === 0) return parts;
  const names = rest.map((heading) => heading.replace(/:$/, "")).join("; ");
  return [...parts, `.PP\n${roff(`And the flags of run under: ${names}.`)}`];
}

function argumentText(argument) {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? italic(name) : `[${italic(name)}]`;
}

async function commandText(name) {
  const command = await loadCommand(new Command(), COMMANDS, name);
  const options = hasFlagTable(name)
    ? tableText(name)
    : command.options.map(({ flags, description }) => {
        const [, names, value = ""] = /^(.*?)(?: ([<[].*))?$/.exec(flags);
        return item(
          `${names.split(", ").map(bold).join(", ")} ${italic(value)}`.trim(),
          description,
        );
      });
  const words = command.registeredArguments.map(argumentText);
  return [
    `.SS ${[roff(`r1-native ${name}`), ...words].join(" ")}`,
    roff(`${COMMANDS[name].summary[0].toUpperCase()}${COMMANDS[name].summary.slice(1)}.`),
    ...command.registeredArguments.map((argument) =>
      item(argumentText(argument), argument.description),
    ),
    ...options,
    ...(name === "chat" ? [".PP\nIn the conversation:", block(CHAT_COMMANDS)] : []),
  ].join("\n");
}

const CONFIGURATION = `A setting of run, chat, serve, batch, worker or bench is a flag without its dashes. The command line is stronger than the environment, which is stronger than the project's file, which is stronger than the user's file. r1-native config shows each value and where it comes from.`;

const FILES = [
  [
    "r1-native.config.json",
    "the project's settings, in the working folder or above it; it must not name what is loaded, read or contacted",
  ],
  ["~/.config/r1-native/config.json", "the user's settings; in $XDG_CONFIG_HOME if that is set"],
  [
    "~/.local/state/r1-native/chat-history",
    "lines typed in chat; in $XDG_STATE_HOME if that is set",
  ],
];

const ENVIRONMENT = [
  ["R1_NATIVE_NAME", "sets the flag --name, such as R1_NATIVE_CTX_SIZE; a switch takes 1 or 0"],
  ["HF_TOKEN, HF_ENDPOINT, HF_HOME, HF_HUB_CACHE", "access to the Hub, and where its files are"],
  ["HTTPS_PROXY, NO_PROXY", "the proxy for requests to the Hub"],
  ["NO_COLOR, FORCE_COLOR", "terminal codes off or on"],
  ["VISUAL, EDITOR", "the editor of /edit in chat"],
];

const EXIT_CODES = [
  ["0", "success"],
  ["1", "failed"],
  ["2", "wrong usage"],
  ["130, 143", "ended by Ctrl-C, by a request to terminate"],
];

/** Returns the manual page. */
export async function manualPage() {
  const items = (rows) => rows.map(([name, text]) => item(bold(name), text));
  const commands = [];
  for (const name of Object.keys(COMMANDS)) commands.push(await commandText(name));
  return [
    '.\\" Written by scripts/man.mjs; change the tables of flags instead.',
    `.TH R1\\-NATIVE 1 "" "r1\\-native ${roff(versions().r1Native)}" ""`,
    ".SH NAME",
    roff("r1-native - run DeepSeek-R1 on this machine, streamed as reasoning and answer"),
    ".SH SYNOPSIS",
    `${bold("r1-native")} [${italic("command")}] [${italic("options")}] [${italic("prompt")}]`,
    ".br",
    `${bold("r1-native")} ${bold("--version")} [${bold("--json")}]`,
    ".br",
    `${bold("r1-native")} [${italic("command")}] ${bold("--help")}`,
    ".SH DESCRIPTION",
    roff(
      "Without a command, r1-native answers one prompt, like r1-native run. Without a model, the embedded demo model answers.",
    ),
    ".SH COMMANDS",
    ...commands,
    ".SH CONFIGURATION",
    roff(CONFIGURATION),
    ".SH ENVIRONMENT",
    ...items(ENVIRONMENT),
    ".SH FILES",
    ...items(FILES),
    ".SH EXIT STATUS",
    ...items(EXIT_CODES),
    "",
  ].join("\n");
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] !== undefined && resolve(process.argv[1]) === self) {
  mkdirSync(join(root, "man"), { recursive: true });
  writeFileSync(join(root, "man", "r1-native.1"), await manualPage());
}
