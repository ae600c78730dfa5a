// Opens vocab-only files through the real addon, and asks llama.cpp's own `llama-tokenize` for the
// ids of a text; runs in the test process.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { initialize, native } from "../../../lib/binding/load.js";
import { Weights } from "../../../lib/weights/weights.js";

/**
 * Loads the vocabulary of a file and nothing else; `tokenizer` of the result is what
 * `model.tokenizer` is.
 */
export async function openVocabulary(path: string): Promise<Weights> {
  initialize("disabled");
  const addon = native();
  const vocabulary = await addon.loadModel(
    {
      paths: [path],
      gpuLayers: 0,
      devices: [],
      mainGpu: 0,
      splitMode: "layer",
      tensorSplit: [],
      tensorOverrides: [],
      loadMode: "auto",
      checkTensors: false,
      repack: true,
      mla: false,
      vocabOnly: true,
      metadataOverrides: [],
    },
    addon.createCancelToken(),
    () => undefined,
  );
  return new Weights(vocabulary);
}

const oracle = join(
  process.env["R1_UPSTREAM_BIN"] ??
    fileURLToPath(new URL("../../../build-native/bin", import.meta.url)),
  "llama-tokenize",
);

/**
 * Ids that llama.cpp's own program gives, without BOS. It reads special strings of user-defined
 * tokens even without `special`.
 */
export function upstreamIds(path: string, text: string, special: boolean): number[] {
  if (!existsSync(oracle)) throw new Error(`${oracle} is missing: "npm run build:tools" builds it`);
  const flags = [
    "-m",
    path,
    "--stdin",
    "--ids",
    "--no-bos",
    "--no-escape",
    "--log-disable",
    ...(special ? [] : ["--no-parse-special"]),
  ];
  const out = execFileSync(oracle, flags, {
    input: text,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
  return JSON.parse(out) as number[];
}
