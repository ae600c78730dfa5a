// Runs one driver or probe in a child process and answers the main process's calls. Exits when the
// main process disconnects.
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";

const [module] = process.argv.slice(2);
const methods = await import(
  isAbsolute(module) ? pathToFileURL(module).href : new URL(`../${module}`, import.meta.url).href
);

process.on("message", ({ id, name, argument }) => {
  void (async () => {
    try {
      process.send({ id, result: await methods[name](argument) });
    } catch (error) {
      process.send({ id, error: error?.stack ?? String(error) });
    }
  })();
});
process.once("disconnect", () => process.exit(0));
// Ctrl-C reaches the whole group of processes: the main process decides what happens then.
process.on("SIGINT", () => undefined);
