// Checks the types and shapes of tensors that llama.cpp accepts without a check and ggml asserts on
// later.
import { R1Error } from "../../base/errors.js";
import { invalidGguf } from "../cursor.js";
import type { GgufHeader } from "../format.js";
import type { ModelShape } from "./check-hyperparameters.js";

/**
 * Checks the tensor table of one part of a model.
 *
 * @throws {R1Error} `GGUF_INVALID`, naming the tensor; `MODEL_UNSUPPORTED` for an alignment below
 * 32.
 */
export function checkTensors(header: GgufHeader, shape: ModelShape): void {
  // ggml asserts that mapped weights begin at a multiple of 32 bytes; with a smaller alignment this
  // holds only by luck.
  if (header.tensors.length > 0 && header.alignment % 32 !== 0)
    throw new R1Error(
      "MODEL_UNSUPPORTED",
      `"${header.path}" aligns its tensors to ${header.alignment} bytes (general.alignment); 32 or a multiple is needed. Convert the model again without that key.`,
      { details: { path: header.path, alignment: header.alignment } },
    );
  const isKnown = ["deepseek2", "qwen2", "qwen3", "llama"].includes(shape.architecture);
  for (const { name, type, shape: dimensions } of header.tensors) {
    if (!isKnown) continue;
    // Norms, biases and rotation factors are added or multiplied element by element. ggml does this
    // only for f32 and aborts on other types.
    if (dimensions.length <= 1 && type.name !== "f32")
      throw invalidGguf(
        header.path,
        `tensor "${name}" is a vector of type ${type.name}, where f32 is right`,
        { tensor: name },
      );
    if (!type.isWeight)
      throw invalidGguf(
        header.path,
        `tensor "${name}" is of type ${type.name}, which no weight can have`,
        { tensor: name },
      );
    const layer = /^blk\.(\d+)\./.exec(name);
    if (layer !== null && Number(layer[1]) >= shape.blockCount) {
      throw invalidGguf(
        header.path,
        `tensor "${name}" belongs to a layer that the model of ${shape.blockCount} layers does not have`,
        { tensor: name },
      );
    }
  }
}
