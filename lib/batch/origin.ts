// What records say of where they come from: the model's fingerprint and the versions. Any
// JavaScript thread.
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ChatModel } from "../index.js";
import type { Origin } from "./record.js";

interface Fingerprinted {
  readonly fingerprint: () => Promise<string>;
}

const isFingerprinted = (model: ChatModel): model is ChatModel & Fingerprinted =>
  typeof (model as Partial<Fingerprinted>).fingerprint === "function";

/** The version of this package. */
export function packageVersion(): string {
  const { version } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  return version;
}

/**
 * Where the records of a model come from. A model without a fingerprint of its own, such as a remote
 * one, is known by the facts that it reports.
 *
 * @throws {R1Error} `IO_FAILED` when the model's file cannot be read any more.
 */
export async function originOf(model: ChatModel): Promise<Origin> {
  const { description, architecture, parameters, sizeBytes, vocabSize, llamaVersion } = model.info;
  const facts = JSON.stringify([description, architecture, parameters, sizeBytes, vocabSize]);
  return {
    fingerprint: isFingerprinted(model) ? await model.fingerprint() : hash("sha256", facts, "hex"),
    description,
    version: packageVersion(),
    llamaVersion,
  };
}
