// Uses r1-native as it is installed: the packages' own files, found by name. run.mjs copies this
// file beside the node_modules folder. Runs in the tested Node.
import { createRequire } from "node:module";
import { loadModel } from "r1-native";
import { check, report } from "./report.mjs";

const require = createRequire(import.meta.url);

await report(async () => {
  const model = await loadModel();
  const { answer } = await model
    .chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0 })
    .result();
  await model.close();
  const addons = Object.keys(require.cache).filter((path) => path.endsWith(".node"));
  const { sharedObjects } = process.report.getReport();
  const loaded = [...addons, ...sharedObjects].filter((path) => /r1-native\.node$/.test(path));
  check(loaded.length > 0, "the package's addon is loaded", sharedObjects);
  return { answer, addon: loaded[0] };
});
