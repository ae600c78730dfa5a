// Saves a conversation to a file over an older one, and goes on with it. Runs in the tested Node.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "../../../dist/index.js";
import { check, codeOf, given, report } from "../report.mjs";

const GREEDY = { temperature: 0, maxTokens: 200 };

await report(async () => {
  const file = join(given.folder, "säved session.r1");
  const model = await loadModel();
  const session = model.session({ system: "Reply in Chinese." });
  await session.send("What is 1+1?", GREEDY).result();
  await session.save(file);
  const unbroken = await session.send("What is 5+5?", GREEDY).result();
  const restored = await model.restoreSession(file);
  // The restored session still reads the old file when it is replaced.
  await session.save(file);
  const { tokens, usage } = await restored.send("What is 5+5?", GREEDY).result();
  check(String(tokens) === String(unbroken.tokens), "a restored session says the same", usage);
  check(usage.cachedTokens >= unbroken.usage.cachedTokens, "without reading again", usage);
  const bytes = await restored.save();
  await (await model.restoreSession(bytes)).send("And 2+2?", GREEDY).result();
  const nowhere = await codeOf(session.save(join(given.folder, "none", "x.r1")));
  check(nowhere === "FILE_NOT_FOUND", "a missing folder has its code", nowhere);
  await model.close();
  const left = readdirSync(given.folder);
  check(left.length === 1, "nothing is left behind", left);
  return { bytes: bytes.length };
});
