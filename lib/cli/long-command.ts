// What `batch` and `worker` share: the model that they open, what they show while it works, and how
// Ctrl-C ends them. Main thread; the model runs on its own thread.
import type { BatchProgress } from "../batch.js";
import type { Model } from "../index.js";
import { progressView } from "./batch-progress.js";
import { Interrupted, watchSignals } from "./exit.js";
import type { OptionBag } from "./flags.js";
import { useProxy } from "./network.js";
import { openModel } from "./open-model.js";
import { reportText } from "./report-json.js";
import { loadOptionsOf } from "./settings.js";
import { forTerminal } from "./wrap.js";

const SEQUENCES = 4;
/** Flags that are not options of the library's call. */
const OWN_FLAGS = ["verbose", "jsonProgress", "proxy", "hfRepo", "hfFile", "sequences"];

/** Options of a command line that the library's call takes. */
export const callOptions = (
  { run }: OptionBag,
  ownFlags: readonly string[] = OWN_FLAGS,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(run).filter(([key]) => !ownFlags.includes(key) && !key.startsWith("accepted:")),
  );

/** A command that runs for hours. */
export interface LongCommand {
  /** Standard error gets JSON. */
  readonly isJson: boolean;
  /** Options of the library's call: it is shown, and Ctrl-C ends it. */
  readonly options: {
    readonly signal: AbortSignal;
    readonly onProgress: (progress: BatchProgress) => void;
    readonly onNotice: (text: string) => void;
  };
  /** Loads the model of the command line. */
  readonly open: () => Promise<Model>;
  /**
   * Awaits the call. After Ctrl-C it throws `Interrupted`, and says what `interrupted` returns.
   */
  readonly run: <T>(call: () => Promise<T>, interrupted: () => string) => Promise<T>;
}

/** @param stopping - What Ctrl-C shows at once. */
export function longCommand(bag: OptionBag, stopping: string): LongCommand {
  const { sequences = SEQUENCES } = bag.run;
  const load = { sequences, ...loadOptionsOf(bag) };
  useProxy(bag.run["proxy"] as string | undefined);
  const isJson = bag.run["jsonProgress"] === true;
  const view = progressView(isJson);
  const say = (text: string): void =>
    view.say(
      isJson
        ? reportText("batch-progress", { event: "notice", text }, 0).trimEnd()
        : forTerminal(text, process.stderr),
    );
  const watch = watchSignals(() => {
    view.stop();
    if (!isJson) process.stderr.write(`${stopping}\n`);
  });
  const { signal } = watch;
  return {
    isJson,
    options: { signal, onProgress: (progress) => view.update(progress), onNotice: say },
    open: () => openModel(load, { isVerbose: bag.run["verbose"] === true, signal }),
    run: async (call, interrupted) => {
      try {
        return await call();
      } catch (error) {
        if (watch.exitCode === undefined) throw error;
        view.stop();
        say(interrupted());
        throw new Interrupted(watch.exitCode);
      } finally {
        view.stop();
        watch.stop();
      }
    },
  };
}
