// Where the native code of one model runs: in this process, or in a child of it. Runs on the JavaScript thread that loads the model.
import { initialize, native } from "../binding/load.js";
import { listenToLog } from "../binding/log.js";
import type { LogListener } from "../binding/log.js";
import type { NativeDevice, NativeStartConfig } from "../binding/native-backends.js";
import type { NativeAddon } from "../binding/native.js";

/** What loading a model and making its engine take of native code, wherever that is. */
export interface EngineHost extends Pick<
  NativeAddon,
  "createCancelToken" | "loadModel" | "createEngine"
> {
  /** Starts what there is to start, and tells the devices. */
  readonly devices: () => Promise<readonly NativeDevice[]>;
  /** Listens to llama.cpp's log; what it returns ends the listening. */
  readonly listen: (listener: LogListener) => () => void;
  /** The load has failed: everything of it may go at once. */
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
    createEngine: (...given) => native().createEngine(...given),
    kill: () => undefined,
  };
}
