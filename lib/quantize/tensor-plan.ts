// Plans a quantised file: llama.cpp's dry run reports the type of each tensor, and the sizes follow
// exactly from the types.
import type { Imatrix } from "./imatrix.js";
import { R1Error } from "../base/errors.js";
import type { GgufHeader, GgufTensor } from "../gguf/format.js";
import { ggmlTypeByName, tensorBytes } from "../gguf/ggml-types.js";
import { padTo } from "../gguf/header.js";
import { IMATRIX_TYPES } from "./types.js";

/** What one tensor becomes. */
export interface TensorPlan {
  /** Its name in the file. */
  readonly name: string;
  /** Innermost dimension first. */
  readonly shape: readonly number[];
  /** Type in the input. */
  readonly from: string;
  /** Type in the output. */
  readonly to: string;
  /** Bytes in the output, without padding. */
  readonly bytes: number;
}

/**
 * `[ 12/1086] blk.0.attn_q_a.weight - [...], type = bf16, `: the start of a tensor's report in
 * llama.cpp's log.
 */
const HEAD = /^\[\s*\d+\/\s*\d+\]\s+(\S+)\s+- \[[^\]]*\], type =\s*(\w+),/;

/** A tensor that the log has reported completely. */
export interface LoggedTensor {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Joins llama.cpp's log of each tensor, which arrives in several pieces: its name, its new type and
 * its size.
 */
export class TensorLog {
  #head: { name: string; from: string } | undefined;
  #text = "";

  /** Adds the next piece of the log. Returns the tensor that it completes, if any. */
  take(piece: string): LoggedTensor | undefined {
    const head = HEAD.exec(piece);
    if (head !== null) {
      const [, name = "", from = ""] = head;
      this.#head = { name, from };
      this.#text = "";
    }
    if (this.#head === undefined) return undefined;
    this.#text += piece;
    if (!/size =/.test(this.#text)) return undefined;
    const to =
      /MiB \((\w+)\)\s*$/.exec(this.#text)?.[1] ??
      /converting to (\w+) /.exec(this.#text)?.[1] ??
      this.#head.from;
    const told = { ...this.#head, to };
    this.#head = undefined;
    return told;
  }
}

/**
 * Creates the plan from a dry run's log.
 * @throws {R1Error} `QUANTIZE_FAILED` if the log does not report all tensors.
 */
export function planFromLog(
  lines: readonly string[],
  headers: readonly GgufHeader[],
): TensorPlan[] {
  const tensors = new Map<string, GgufTensor>(
    headers.flatMap((header) => header.tensors.map((tensor) => [tensor.name, tensor] as const)),
  );
  const plans: TensorPlan[] = [];
  const log = new TensorLog();
  for (const line of lines) {
    const told = log.take(line);
    const tensor = told === undefined ? undefined : tensors.get(told.name);
    if (told === undefined || tensor === undefined) continue;
    const type = ggmlTypeByName(told.to);
    const bytes = type === undefined ? undefined : tensorBytes(type, tensor.shape);
    if (bytes === undefined)
      throw new R1Error(
        "QUANTIZE_FAILED",
        `The dry run gives tensor "${told.name}" the type ${told.to}, which does not fit it.`,
      );
    plans.push({ name: told.name, shape: tensor.shape, from: told.from, to: told.to, bytes });
  }
  if (plans.length !== tensors.size) {
    throw new R1Error(
      "QUANTIZE_FAILED",
      `The dry run reported ${plans.length} tensors, but the model has ${tensors.size}.`,
    );
  }
  return plans;
}

/** Bytes of the output over all its files: headers as large as the input's, data as planned. */
export function plannedFileBytes(
  plans: readonly TensorPlan[],
  headers: readonly GgufHeader[],
): number {
  const data = plans.reduce((sum, { bytes }) => sum + padTo(bytes, 32), 0);
  return headers.reduce((sum, { dataOffset }) => sum + dataOffset, data);
}

/**
 * Refuses tensors that are already quantised. llama.cpp would refuse them too, but only after
 * writing everything before them.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, naming the first of them.
 */
export function refuseRequantizing(plans: readonly TensorPlan[]): void {
  const again = plans.filter(
    ({ from, to }) => from !== to && (ggmlTypeByName(from)?.blockLength ?? 1) > 1,
  );
  const [first] = again;
  if (first === undefined) return;
  const { name, from, to } = first;
  const [others, are] =
    again.length === 1
      ? ["", "is"]
      : [` and ${again.length - 1} other${again.length === 2 ? "" : "s"}`, "are"];
  throw new R1Error(
    "INVALID_ARGUMENT",
    `Tensor "${name}"${others} ${are} quantised already (${from}), and to make ${to} of that loses more than to make it of the original. Quantise an f32, f16 or bf16 file of the model, or ask to do it all the same (option \`allowRequantize\`).`,
    { details: { option: "allowRequantize", tensor: name, from, to } },
  );
}

/**
 * Refuses types of few bits without importance values, which would end in an abort or in garbage.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, naming the first such tensor.
 */
export function checkImatrix(plans: readonly TensorPlan[], imatrix: Imatrix | undefined): void {
  for (const { name, from, to, shape } of plans) {
    if (from === to || !IMATRIX_TYPES.includes(to)) continue;
    const values = imatrix?.entries.get(name);
    const needed = (shape[0] ?? 1) * (shape[2] ?? 1);
    if (values?.length === needed) continue;
    const what =
      imatrix === undefined
        ? "no importance matrix is given"
        : values === undefined
          ? "the importance matrix has none"
          : `it has ${values.length}`;
    throw new R1Error(
      "INVALID_ARGUMENT",
      `Tensor "${name}" would become ${to}, which needs ${needed} importance values, but ${what}. Give an \`imatrix\` computed on this model, or another type (options \`tensorTypes\`, \`tokenEmbeddingType\`, \`outputTensorType\`).`,
      { details: { option: "imatrix", tensor: name, type: to } },
    );
  }
}
