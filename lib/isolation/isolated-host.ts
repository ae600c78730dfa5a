// A model in a child process: starts the child, loads there, and keeps only the vocabulary here.
// Runs on the JavaScript thread that loads the model.
import { R1Error } from "../base/errors.js";
import { initialize, native } from "../binding/load.js";
import type { BackendProblem } from "../binding/backends.js";
import type { LogListener } from "../binding/log.js";
import type { NativeDevice } from "../binding/native-backends.js";
import type { NativeModel, NativeModelConfig, NativeModelInfo } from "../binding/native.js";
import type { Endpoint } from "../rpc/endpoint.js";
import { probeServers } from "../rpc/probe.js";
import { EngineProcess } from "./engine-process.js";
import type { EngineHost } from "./host.js";
import { IsolatedEngine } from "./isolated-engine.js";

/** The configuration of an isolated host. */
export interface IsolationInit {
  readonly numa: Parameters<typeof initialize>[0];
  readonly backendDir: string | undefined;
  readonly servers: readonly Endpoint[];
  /** For messages. */
  readonly path: string;
  readonly signal: AbortSignal;
  /**
   * Called once with the backend libraries that the child cannot use, and the devices it uses
   * instead.
   */
  readonly onProblems: (
    problems: readonly BackendProblem[],
    devices: readonly NativeDevice[],
  ) => void;
}

/**
 * Time to connect to servers that have just answered; after it, another client has connected first.
 * Unit: milliseconds.
 */
const CONNECT_MS = 2000;

/** The vocabulary of this process with the facts from the child. */
function withFacts(vocabulary: NativeModel, info: NativeModelInfo): NativeModel {
  return {
    info: () => info,
    vocab: () => vocabulary.vocab(),
    specialTokens: () => vocabulary.specialTokens(),
    metadata: () => vocabulary.metadata(),
    chatTemplate: () => vocabulary.chatTemplate(),
    tokenize: (text, special) => vocabulary.tokenize(text, special),
    tokenizeSegments: (texts, ids) => vocabulary.tokenizeSegments(texts, ids),
    tokenizeAsync: (text, special) => vocabulary.tokenizeAsync(text, special),
    tokenizeSegmentsAsync: (texts, ids) => vocabulary.tokenizeSegmentsAsync(texts, ids),
    detokenize: (tokens) => vocabulary.detokenize(tokens),
    detokenizeBytes: (tokens) => vocabulary.detokenizeBytes(tokens),
    knownGrammar: (text) => vocabulary.knownGrammar(text),
    compileGrammar: (text) => vocabulary.compileGrammar(text),
    close: () => vocabulary.close(),
  };
}

function describeDeath({
  path,
  servers,
}: IsolationInit): (how: string, words: string, signal: NodeJS.Signals | null) => string {
  return (how, words, signal) => {
    const said = words === "" ? "" : ` Its last output: ${words}.`;
    const hint =
      signal === "SIGKILL"
        ? " Memory may have run out."
        : servers.length > 0 && /rpc/i.test(words)
          ? " An rpc-server has ended or is no longer reachable: " +
            `${servers.map(({ text }) => text).join(", ")}.`
          : "";
    return (
      `The process of ${path} ${how}.${said}${hint} This process is unharmed: load ` +
      "the model again to continue."
    );
  };
}

/** Native code in a child process, which is started when its devices are first requested. */
export function isolatedHost(init: IsolationInit): EngineHost {
  const { numa, backendDir, servers, signal } = init;
  let listener: LogListener | undefined;
  let child: EngineProcess | undefined;

  const started = (): EngineProcess => {
    if (child === undefined)
      throw new R1Error("INTERNAL", "The model's process was used before it was started.");
    return child;
  };
  const start = async (): Promise<NativeDevice[]> => {
    await probeServers(servers, signal);
    // The vocabulary is read in this process.
    initialize("disabled");
    const made = (child = new EngineProcess(describeDeath(init)));
    made.events.onLog = ({ entries }) => listener?.(entries);
    if (listener !== undefined) made.post({ kind: "listen", on: true });
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    const problems = (await made.call("start", { numa, backendDir })).value;
    let isLate = false;
    // Without servers nothing can delay it.
    const timer =
      servers.length === 0
        ? undefined
        : setTimeout(() => {
            isLate = true;
            kill();
          }, CONNECT_MS);
    try {
      const devices = (await made.call("connect", { servers: servers.map(({ text }) => text) }))
        .value;
      init.onProblems(problems, devices);
      return devices;
    } catch (error) {
      if (!isLate) throw error;
      throw new R1Error(
        "RPC_BUSY",
        `The RPC servers ${servers.map(({ text }) => text).join(", ")} answered once, but ` +
          "not a second time: another client has connected in between. Try again.",
        {
          details: { servers: servers.map(({ text }) => text) },
        },
      );
    } finally {
      clearTimeout(timer);
    }
  };
  /**
   * One child, no matter how often its devices are requested: a draft model's layers are also
   * placed on them.
   */
  let starting: Promise<NativeDevice[]> | undefined;
  let isLoaded = false;
  const kill = (): void => {
    // A signal that aborts after the load has no effect.
    if (!isLoaded) child?.kill();
  };
  return {
    devices: () => (starting ??= start()),
    listen: (wanted) => {
      listener = wanted;
      return () => {
        listener = undefined;
        if (child?.death === undefined) child?.post({ kind: "listen", on: false });
      };
    },
    createCancelToken: () => ({ cancel: () => kill() }),
    loadModel: async (config: NativeModelConfig, _token, onProgress) => {
      const made = started();
      made.events.onProgress = onProgress;
      const { value } = await made.call("load", { config });
      // The child has loaded the file already, so it is safe here.
      const vocabularyConfig = {
        ...config,
        vocabOnly: true,
        gpuLayers: 0,
        devices: [],
        tensorOverrides: [],
        tensorSplit: [],
        checkTensors: false,
        loadMode: "auto" as const,
      };
      return withFacts(
        await native().loadModel(vocabularyConfig, native().createCancelToken(), () => undefined),
        value,
      );
    },
    createEngine: async (_model, config, onEvents, draft) => {
      const made = started();
      const { value } = await made.call("engine", { config, hasDraft: draft !== null });
      isLoaded = true;
      // The user's signal may outlive the model.
      signal.removeEventListener("abort", kill);
      return new IsolatedEngine(made, value, config.maxQueue, onEvents);
    },
    kill: () => {
      signal.removeEventListener("abort", kill);
      child?.kill();
    },
  };
}
