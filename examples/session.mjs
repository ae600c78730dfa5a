// A conversation of several turns that survives the end of the program: with its computed cells, so
// that nothing is computed again. Run it twice: the second run goes on where the first one ended.
//
//   node examples/session.mjs FILE [MODEL]
import { existsSync } from "node:fs";
import { loadModel } from "r1-native";

const [file, path] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: node examples/session.mjs FILE [MODEL]");

const model = await loadModel(path);
const isOld = existsSync(file);
const session = isOld
  ? await model.restoreSession(file)
  : model.session({ system: "You do sums." });

for (const question of isOld ? ["What is 20+3?"] : ["What is 1+1?", "What is 7+5?"]) {
  const { answer, usage } = await session.send(question).result();
  console.log(`> ${question}\n${answer}`);
  console.log(`  (${usage.cachedTokens} of ${usage.promptTokens} prompt tokens were cached)`);
}

await session.save(file);
console.log(`${session.messages.length} messages are in ${file}`);
await model.close();
