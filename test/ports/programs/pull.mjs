// Downloads a model from a Hub on this machine into the cache and into a folder, again without
// fetching, and loads it. Runs in the tested Node; run.mjs serves.
import { readFileSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { loadModel } from "../../../dist/index.js";
import { downloadModel } from "../../../dist/hub.js";
import { check, given, report } from "../report.mjs";

// Wine 8 cannot set the time between two probes (TCP_KEEPALIVE) of a socket that is not connected
// yet, so every `fetch` of Node fails there: "connect UNKNOWN". Windows itself can.
if (process.platform === "win32")
  Socket.prototype.setKeepAlive = function () {
    return this;
  };

await report(async () => {
  const [endpoint] = given.words;
  const common = { endpoint, token: false, proxy: false, chunkBytes: 1 << 20 };
  const cache = join(given.folder, "cäche");
  const first = await downloadModel("owner/model", { ...common, cache });
  check(first.fetchedBytes > 1e6, "bytes come", first);
  const second = await downloadModel("owner/model", { ...common, cache });
  check(second.fetchedBytes === 0, "a second pull fetches nothing", second);
  check(second.modelPath === first.modelPath, "and names the same file", second);
  const model = await loadModel(first.modelPath);
  const { answer } = await model
    .chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0 })
    .result();
  check(answer.includes("2"), "the downloaded model answers", answer);
  await model.close();
  const dir = join(given.folder, "plain");
  const plain = await downloadModel("owner/model", { ...common, dir });
  check(readFileSync(plain.modelPath).equals(readFileSync(first.modelPath)), "same bytes", plain);
  writeFileSync(plain.modelPath, "damaged");
  const mended = await downloadModel("owner/model", { ...common, dir, force: true });
  check(mended.fetchedBytes > 1e6, "a damaged file is replaced", mended);
  return { bytes: first.fetchedBytes };
});
