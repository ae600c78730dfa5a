// The tensor types of GGUF files: name, block length and block size. Data only.

/** One tensor type of ggml. */
export interface GgmlType {
  /** The number stored in a GGUF file. */
  readonly id: number;
  /** ggml's own name, e.g. `q4_K`. */
  readonly name: string;
  /** Values in one block; a row consists of whole blocks. */
  readonly blockLength: number;
  /** Bytes of one block. */
  readonly blockBytes: number;
  /**
   * llama.cpp can multiply with weights of this type. The other types occur only as intermediate
   * results or integers.
   */
  readonly isWeight: boolean;
}

const rows: readonly (readonly [
  id: number,
  name: string,
  blockLength: number,
  blockBytes: number,
  isWeight?: false,
])[] = [
  [0, "f32", 1, 4],
  [1, "f16", 1, 2],
  [2, "q4_0", 32, 18],
  [3, "q4_1", 32, 20],
  [6, "q5_0", 32, 22],
  [7, "q5_1", 32, 24],
  [8, "q8_0", 32, 34],
  [9, "q8_1", 32, 36, false],
  [10, "q2_K", 256, 84],
  [11, "q3_K", 256, 110],
  [12, "q4_K", 256, 144],
  [13, "q5_K", 256, 176],
  [14, "q6_K", 256, 210],
  [15, "q8_K", 256, 292, false],
  [16, "iq2_xxs", 256, 66],
  [17, "iq2_xs", 256, 74],
  [18, "iq3_xxs", 256, 98],
  [19, "iq1_s", 256, 50],
  [20, "iq4_nl", 32, 18],
  [21, "iq3_s", 256, 110],
  [22, "iq2_s", 256, 82],
  [23, "iq4_xs", 256, 136],
  [24, "i8", 1, 1, false],
  [25, "i16", 1, 2, false],
  [26, "i32", 1, 4, false],
  [27, "i64", 1, 8, false],
  [28, "f64", 1, 8, false],
  [29, "iq1_m", 256, 56],
  [30, "bf16", 1, 2],
  [34, "tq1_0", 256, 54],
  [35, "tq2_0", 256, 66],
  [39, "mxfp4", 32, 17],
  [40, "nvfp4", 64, 36],
  [41, "q1_0", 128, 18],
  [42, "q2_0", 64, 18],
];

/** Every tensor type that a file for llama.cpp v0.5.0 may contain. */
export const GGML_TYPES: readonly GgmlType[] = rows.map(
  ([id, name, blockLength, blockBytes, isWeight]) =>
    Object.freeze({ id, name, blockLength, blockBytes, isWeight: isWeight ?? true }),
);

const byId = new Map(GGML_TYPES.map((type) => [type.id, type]));
const byName = new Map(GGML_TYPES.map((type) => [type.name.toLowerCase(), type]));

/**
 * Returns the type with a GGUF number, or undefined if there is none (this includes the numbers of
 * removed types).
 */
export function ggmlTypeById(id: number): GgmlType | undefined {
  return byId.get(id);
}

/** Returns the type with a name, in upper or lower case, or undefined. */
export function ggmlTypeByName(name: string): GgmlType | undefined {
  return byName.get(name.toLowerCase());
}

/**
 * Returns the size in bytes of a tensor of a type and shape; undefined if its rows are not whole
 * blocks.
 */
export function tensorBytes(type: GgmlType, shape: readonly number[]): number | undefined {
  const row = shape[0] ?? 1;
  if (row % type.blockLength !== 0) return undefined;
  return (shape.reduce((a, b) => a * b, 1) / type.blockLength) * type.blockBytes;
}
