// All trials in the order in which they run and are reported.
import * as abort from "./abort.mjs";
import * as arrivals from "./arrivals.mjs";
import * as batch from "./batch.mjs";
import * as decodeMany from "./decode-many.mjs";
import * as decode from "./decode.mjs";
import * as eventLoop from "./event-loop.mjs";
import * as gaps from "./gaps.mjs";
import * as grammars from "./grammars.mjs";
import * as kvUnified from "./kv-unified.mjs";
import * as load from "./load.mjs";
import * as memory from "./memory.mjs";
import * as overhead from "./overhead.mjs";
import * as prefill from "./prefill.mjs";
import * as prebuilt from "./prebuilt.mjs";
import * as prefix from "./prefix.mjs";
import * as serveLimits from "./serve-limits.mjs";
import * as serve from "./serve.mjs";
import * as settings from "./settings.mjs";
import * as speculation from "./speculation.mjs";
import * as streams from "./streams.mjs";
import * as stress from "./stress.mjs";
import * as text from "./text.mjs";

/**
 * `minutes`: about what it takes on two quiet cores in full, with --bars (none: no bar is set for
 * it), and with --quick.
 */
const trial = (name, minutes, { title, run }) => ({
  name,
  title,
  minutes,
  hasBars: typeof minutes[1] === "number",
  run,
});

export const TRIALS = [
  trial("load", [1, 0.5, 0.5], load),
  trial("prefill", [4.5, 3.5, 1], prefill),
  trial("decode", [3, 2.5, 1], decode),
  trial("prebuilt", [4, "-", 1.5], prebuilt),
  trial("decode-many", [35, 4, 6], decodeMany),
  trial("batch", [165, 18, 5], batch),
  trial("streams", [17, 4, 8], streams),
  trial("serve", [35, 18, 4], serve),
  trial("serve-limits", [6, 6, 2], serveLimits),
  trial("arrivals", [5, "-", 1.5], arrivals),
  trial("prefix", [35, 5, 15], prefix),
  trial("abort", [2.5, 1.5, 0.5], abort),
  trial("event-loop", [1, 1, 0.5], eventLoop),
  trial("gaps", [6, 6, 4], gaps),
  trial("text", [1, 1, 0.5], text),
  trial("grammars", [2, 2, 1.5], grammars),
  trial("overhead", [40, 11, 3], overhead),
  trial("speculation", [5, 2, 3], speculation),
  trial("memory", [1, "-", 0.5], memory),
  trial("kv-unified", [25, "-", 3], kvUnified),
  trial("settings", [5, "-", 2], settings),
  trial("stress", [3, 3, 0.5], stress),
];
