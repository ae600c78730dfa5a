// Names of repositories, and the files that a reference such as hf:owner/name:Q4_K_M stands for.
// Pure.
import { R1Error } from "../base/errors.js";
import type { HubFile } from "./listing.js";

/** A model in a repository. */
export interface HubReference {
  /** `owner/name`. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision?: string | undefined;
  /** Quant, such as `Q4_K_M` or `UD-IQ1_S`. */
  readonly quant?: string | undefined;
  /** Path of a file in the repository. */
  readonly file?: string | undefined;
}

const REPO = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/** @throws {R1Error} `INVALID_ARGUMENT` when it is not `owner/name`. */
export function checkRepo(repo: string, option = "repo"): string {
  if (REPO.test(repo) && !repo.includes("..") && repo.length <= 200) return repo;
  throw new R1Error(
    "INVALID_ARGUMENT",
    `Expected a repository such as owner/name for \`${option}\` but received ${JSON.stringify(repo.slice(0, 200))}.`,
    {
      details: { option },
    },
  );
}

/** Whether a text is a reference to a model on the Hub rather than a path. */
export function isHubReference(text: string): boolean {
  return text.startsWith("hf:");
}

/** Matches the address of a page or file of the Hub in a browser. */
const PAGE =
  /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/([^/?#\s]+\/[^/?#\s]+)(?:\/(?:tree|blob|resolve)\/([^/?#\s]+)(?:\/([^?#\s]+\.gguf))?)?\/?(?:[?#].*)?$/;

/**
 * Returns the reference for an address of the Hub's pages, such as
 * `https://huggingface.co/owner/name/blob/main/file.gguf`; undefined for other text.
 */
export function referenceOfPage(text: string): string | undefined {
  const [, repo, revision, file] = PAGE.exec(text) ?? [];
  if (repo === undefined) return undefined;
  const at = revision === undefined || revision === "main" ? "" : `@${revision}`;
  if (file === undefined) return `hf:${repo}${at}`;
  try {
    return `hf:${repo}${at}/${decodeURIComponent(file)}`;
  } catch {
    return undefined; // a percent sign that begins no character
  }
}

/**
 * Parses `hf:owner/name`, `hf:owner/name:QUANT`, `hf:owner/name@revision:QUANT` or
 * `hf:owner/name/path/in/it.gguf`.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`.
 */
export function parseReference(given: string): HubReference {
  const text = referenceOfPage(given) ?? given;
  const match = /^hf:([^/:@\s]+\/[^/:@\s]+)(?:@([^:\s]+?))?(?:\/([^:@]+\.gguf)|:([\w.-]+))?$/.exec(
    text,
  );
  if (match === null) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      `${JSON.stringify(text.slice(0, 300))} is no reference to a model. Write hf:owner/name:QUANT or hf:owner/name/file.gguf.`,
      {
        details: { option: "path" },
      },
    );
  }
  const [, repo = "", revision, file, quant] = match;
  return {
    repo: checkRepo(repo, "path"),
    ...(revision === undefined ? {} : { revision }),
    ...(quant === undefined ? {} : { quant }),
    ...(file === undefined ? {} : { file }),
  };
}

/** All files of one model in a repository. */
export interface ModelFiles {
  /** Quant as in the name; empty if the name has none. */
  readonly quant: string;
  /** In part order; one file if the model is not split. */
  readonly files: readonly HubFile[];
  /** Parts that the names imply but that the repository lacks. */
  readonly missing: readonly string[];
}

const LABEL =
  /(?:UD-)?(?:IQ\d+_[A-Z0-9]+|T?Q\d+(?:_[A-Z0-9]+)*|MXFP4(?:_MOE)?|BF16|F16|FP16|F32)(?![A-Z0-9])/gi;

/** Returns the quant in a file's name: the last word that is one. */
export function quantLabel(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/(-\d{5}-of-\d{5})?\.gguf$/, "");
  return (
    [...name.matchAll(LABEL)]
      .filter(({ index }) => index === 0 || /[-._]/.test(name[index - 1] ?? ""))
      .at(-1)?.[0] ?? ""
  );
}

/**
 * Whether a GGUF file contains a model, judged by its name: not the projector of a vision model,
 * and not an importance matrix. A quant that such a name mentions is the one it was made with.
 */
function hasWeights(name: string): boolean {
  if (/(?:^|[-._])mmproj(?=[-._])/i.test(name) || /^imatrix/i.test(name)) return false;
  return !/imatrix/i.test(name) || quantLabel(name) !== "";
}

/** Returns the models of a listing: GGUF files with weights, with their parts grouped. */
export function modelsOf(files: readonly HubFile[]): ModelFiles[] {
  const sets = new Map<string, { count: number; parts: Map<number, HubFile> }>();
  for (const file of files) {
    const name = file.path.slice(file.path.lastIndexOf("/") + 1);
    if (!name.endsWith(".gguf") || !hasWeights(name)) continue;
    const [, prefix, part, count] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/s.exec(file.path) ?? [];
    const key = prefix === undefined ? file.path : `${prefix}-*-of-${count ?? ""}.gguf`;
    const set = sets.get(key) ?? { count: Number(count ?? 1), parts: new Map<number, HubFile>() };
    sets.set(key, set);
    set.parts.set(Number(part ?? 1), file);
  }
  return [...sets].map(([key, { count, parts }]) => {
    const ordered = [...parts].sort(([a], [b]) => a - b).map(([, file]) => file);
    const missing: string[] = [];
    // A name may claim any number of parts; the list of missing ones is for people.
    for (let part = 1; part <= count && missing.length < 20; part++) {
      if (!parts.has(part)) missing.push(key.replace("*", String(part).padStart(5, "0")));
    }
    return { quant: quantLabel(ordered[0]?.path ?? ""), files: ordered, missing };
  });
}

/** The quant that most users want if they do not name one. */
const PREFERRED = "Q4_K_M";

/**
 * Returns the files that a reference stands for.
 *
 * @throws {R1Error} `FILE_NOT_FOUND` if the repository has no such model, `INVALID_ARGUMENT` if it
 * has several, `SHARD_MISSING` if it lacks a part of the model.
 */
export function chooseModel(reference: HubReference, files: readonly HubFile[]): ModelFiles {
  const { repo, quant, file } = reference;
  const models = modelsOf(files);
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  let fitting: ModelFiles[];
  if (file !== undefined) {
    fitting = models.filter((model) => model.files.some(({ path }) => path === file));
    // A path selects its file, whatever the name looks like.
    const exact = files.find(({ path }) => path === file);
    if (fitting.length === 0 && exact !== undefined)
      fitting = [{ quant: quantLabel(file), files: [exact], missing: [] }];
  } else if (quant !== undefined) {
    fitting = models.filter((model) => same(model.quant, quant));
    if (fitting.length === 0) fitting = models.filter((model) => same(model.quant, `UD-${quant}`));
  } else
    fitting = models.length === 1 ? models : models.filter((model) => same(model.quant, PREFERRED));
  const [chosen, second] = fitting;
  const names = [
    ...new Set(
      models.map((model) => (model.quant === "" ? (model.files[0]?.path ?? "") : model.quant)),
    ),
  ].sort();
  const details = { path: repo, quant, file, available: names };
  if (chosen === undefined) {
    const has =
      names.length === 0 ? "it holds no GGUF file with weights" : `it has: ${names.join(", ")}`;
    const wanted = file ?? quant;
    throw new R1Error(
      "FILE_NOT_FOUND",
      `${repo} has no ${wanted === undefined ? `${PREFERRED}, the quant taken when none is named` : `model ${wanted}`}; ${has}.`,
      { details },
    );
  }
  if (second !== undefined) {
    const paths = fitting.map((model) => model.files[0]?.path ?? "");
    throw new R1Error(
      "INVALID_ARGUMENT",
      `${repo} has several models ${chosen.quant}: ${paths.join(", ")}. Write hf:${repo}/ and the path of the one you mean.`,
      { details },
    );
  }
  if (chosen.missing.length > 0) {
    throw new R1Error(
      "SHARD_MISSING",
      `${repo} lacks parts of ${chosen.quant}: ${chosen.missing.join(", ")}. The upload may not be finished.`,
      { details },
    );
  }
  return chosen;
}
