// All trials in the order in which they run and are reported.
import * as abort from "./abort.mjs";
import * as arrivals from "./arrivals.mjs";
import * as decodeMany from "./decode-many.mjs";
import * as decode from "./decode.mjs";
import * as eventLoop from "./event-loop.mjs";
import * as kvUnified from "./kv-unified.mjs";
import * as load from "./load.mjs";
import * as memory from "./memory.mjs";
import * as overhead from "./overhead.mjs";
import * as prefill from "./prefill.mjs";
import * as prefix from "./prefix.mjs";
import * as settings from "./settings.mjs";
import * as speculation from "./speculation.mjs";
import * as streams from "./streams.mjs";
import * as stress from "./stress.mjs";

const trial = (name, { title, run }) => ({ name, title, run });

export const TRIALS = [
  trial("load", load),
  trial("prefill", prefill),
  trial("decode", decode),
  trial("decode-many", decodeMany),
  trial("streams", streams),
  trial("arrivals", arrivals),
  trial("prefix", prefix),
  trial("abort", abort),
  trial("event-loop", eventLoop),
  trial("overhead", overhead),
  trial("speculation", speculation),
  trial("memory", memory),
  trial("kv-unified", kvUnified),
  trial("settings", settings),
  trial("stress", stress),
];
