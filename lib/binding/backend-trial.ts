// The program that tries a backend library out: a process of its own, because a damaged library,
// another version of ggml or a broken driver can end the process that loads it. Started by
// backends.ts with the library's path; tells what came of it, as JSON on descriptor 3, and ends at
// once. Main thread of that process.
import { writeSync } from "node:fs";
import { initialize, native } from "./load.js";

const LINK = 3;

const [path = ""] = process.argv.slice(2);
initialize("disabled");
writeSync(LINK, JSON.stringify(native().tryBackend(path)));
// Not the driver's way out: what it does there is no reason against it here.
process.kill(process.pid, "SIGKILL");
