// Loads the addon and a model, and reads what they say of themselves. Runs in the tested Node.
import { devices, llamaVersion, loadModel } from "../../../dist/index.js";
import { check, codeOf, given, report } from "../report.mjs";

await report(async () => {
  const model = await loadModel();
  const { info } = model;
  check(info.contextSize > 0, "the context has a size", info.contextSize);
  check(model.tokenizer.encode("What is 1+1?").length > 3, "text becomes tokens", info);
  const found = devices();
  check(
    found.some(({ type }) => type === "cpu"),
    "the processor is a device",
    found,
  );
  await model.close();
  const missing = await codeOf(loadModel(`${given.folder}/ünïcödé is missing.gguf`));
  check(missing === "FILE_NOT_FOUND", "a missing file has its code", missing);
  const { version: node, platform, arch } = process;
  return { node, platform, arch, llama: llamaVersion(), device: found[0].description };
});
