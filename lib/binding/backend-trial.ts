// The program that tries a backend library in a separate process, because a damaged library,
// another version of ggml or a broken driver can end the process that loads it. backends.ts starts
// it with the library's path. It writes the result as JSON to descriptor 3 and ends at once.
import { writeSync } from "node:fs";
import { initialize, native } from "./load.js";

const LINK = 3;

const [path = ""] = process.argv.slice(2);
initialize("disabled");
writeSync(LINK, JSON.stringify(native().tryBackend(path)));
// Skips the driver's own shutdown: a fault there is no reason to refuse the library.
process.kill(process.pid, "SIGKILL");
