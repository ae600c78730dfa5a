// The place where the native code of one model runs: this process, or a child. Runs on the
// JavaScript thread that loads the model.
import { initialize, native } from "../binding/load.js";
import { listenToLog } from "../binding/log.js";
import type { LogListener } from "../binding/log.js";
import type { NativeDevice, NativeStartConfig } from "../binding/native-backends.js";
import type { NativeSessions } from "../binding/native-session.js";
import { LocalSessions } from "./sessions.js";
import type { EngineSessions } from "./sessions.js";
import type { NativeAddon, NativeEngine } from "../binding/native.js";

/** An engine in either place. */
export interface HostedEngine extends Omit<NativeEngine, keyof NativeSessions> {
  readonly sessions: EngineSessions;
}

/** The native functions that loading a model and creating its engine need, in either place. */
export interface EngineHost extends Pick<NativeAddon, "createCancelToken" | "loadModel"> {
  readonly createEngine: (
    ...given: Parameters<NativeAddon["createEngine"]>
  ) => Promise<HostedEngine>;
  /** Starts the backends and returns the devices. */
  readonly devices: () => Promise<readonly NativeDevice[]>;
  /** Listens to llama.cpp's log; returns a function that ends the listening. */
  readonly listen: (listener: LogListener) => () => void;
  /** Called when the load has failed: everything may be ended at once. */
  readonly kill: () => void;
}

/** Native code in this process. */
export function localHost(numa: NativeStartConfig["numa"]): EngineHost {
  return {
    devices: () => {
      initialize(numa);
      return Promise.resolve(native().devices());
    },
    listen: listenToLog,
    createCancelToken: () => native().createCancelToken(),
    loadModel: (...given) => native().loadModel(...given),
    createEngine: async (...given) => {
      const engine = await native().createEngine(...given);
      return {
        info: () => engine.info(),
        submit: (request) => engine.submit(request),
        cancel: (id) => engine.cancel(id),
        endReasoning: (id) => engine.endReasoning(id),
        stats: () => engine.stats(),
        close: () => engine.close(),
        sessions: new LocalSessions(engine),
      };
    },
    kill: () => undefined,
  };
}
