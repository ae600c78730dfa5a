// The configuration of a command: what the environment and the configuration files set, and which
// of it holds beside what stands on the command line. Main thread.
import type { FlaggedCommand } from "../command-flags.js";
import type { Flag } from "../flags.js";
import { environmentSettings } from "./environment.js";
import { fileSettings } from "./file.js";
import { projectFile, userFile, workingFolder } from "./places.js";
import type { Setting } from "./settings.js";

/**
 * Options that are set as a whole: the stronger source sets all of it, because a mixture of two
 * sources could contradict itself.
 */
const WHOLE = ["generate:response", "generate:reasoning"];

/** Options that are one setting under several names. */
const SAME: Readonly<Record<string, string>> = {
  "load:path": "model",
  "run:hfRepo": "model",
  "run:hfFile": "model",
  "run:hideReasoning": "shown reasoning",
  "run:showReasoning": "shown reasoning",
  "run:json": "output",
  "run:jsonStream": "output",
};

/** Options that contradict each other: each drops the other one of a weaker source. */
const EITHER: readonly (readonly [string, string])[] = [
  ["run:raw", "run:system"],
  ["run:raw", "run:openThink"],
  ["run:raw", "run:template"],
  ["run:raw", "generate:reasoning"],
  ["run:session", "run:system"],
  ["run:openThink", "generate:reasoning"],
];

/** What a flag sets, as one unit that one source sets. */
function unitOf({ target, option, field }: Flag): string {
  const name = `${target}:${option}`;
  if (WHOLE.includes(name)) return name;
  return SAME[name] ?? (field === undefined ? name : `${name}.${field}`);
}

/** The units that a flag takes away from weaker sources. */
function takenBy(flag: Flag): string[] {
  const unit = unitOf(flag);
  const others = EITHER.flatMap(([a, b]) => (a === unit ? [b] : b === unit ? [a] : []));
  return [unit, ...others];
}

/** All settings of a command outside its command line. */
export class Configuration {
  /** The strongest source first; in a source, settings of the command's own section first. */
  readonly settings: readonly Setting[];
  /** The files that were looked for, the stronger one first. */
  readonly files: readonly string[];

  readonly #command: FlaggedCommand;

  private constructor(
    command: FlaggedCommand,
    settings: readonly Setting[],
    files: readonly string[],
  ) {
    this.#command = command;
    this.settings = settings;
    this.files = files;
  }

  /** Reads the environment and the files. @throws {R1Error} like `fileSettings`. */
  static read(command: FlaggedCommand, env: NodeJS.ProcessEnv = process.env): Configuration {
    const folder = workingFolder();
    const project = folder === undefined ? undefined : projectFile(folder);
    const user = userFile(env);
    return new Configuration(
      command,
      [
        ...environmentSettings(command, env),
        ...(project === undefined
          ? []
          : fileSettings(command, { source: "project file", place: project })),
        ...fileSettings(command, { source: "user file", place: user }),
      ],
      [...(project === undefined ? [] : [project]), user],
    );
  }

  /** With a queue, `batch` loads no model: its workers do, by their own configuration. */
  #isForWorkers({ target }: Flag, taken: ReadonlySet<string>): boolean {
    return this.#command === "batch" && target === "load" && taken.has("run:queue");
  }

  /**
   * The settings that hold beside some flags of the command line: a stronger source replaces what a
   * weaker one sets.
   */
  beside(given: readonly Flag[]): readonly Setting[] {
    const taken = new Set(given.flatMap(takenBy));
    const held: Setting[] = [];
    let level = "";
    let pending: string[] = [];
    for (const setting of this.settings) {
      const { flag, from, isInSection = false } = setting;
      // Settings of one level stand beside each other; a contradiction there is an error.
      if (`${from.source} ${isInSection}` !== level) {
        for (const unit of pending) taken.add(unit);
        pending = [];
        level = `${from.source} ${isInSection}`;
      }
      if (taken.has(unitOf(flag)) || this.#isForWorkers(flag, taken)) continue;
      pending.push(...takenBy(flag));
      held.push(setting);
    }
    return held;
  }
}
