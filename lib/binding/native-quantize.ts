// The part of the contract for making model files: the arguments of `quantize`, `computeImatrix`
// and `copyRange`. Types only.

/** One `metadataOverrides` entry: a GGUF key and its new value. */
export interface NativeMetadataOverride {
  key: string;
  kind: "int" | "float" | "bool" | "string";
  /** A number for int and float, a boolean for bool, a string (at most 127 bytes) for string. */
  value: number | boolean | string;
}

/** The configuration of `computeImatrix`. */
export interface NativeImatrixConfig {
  tokens: Int32Array;
  /** Tokens per run of the model, 16 .. 2^20; a shorter rest is left out. */
  chunkSize: number;
  threads: number;
}

/** Sums for one weight tensor, in the form that `llama-imatrix` writes. */
export interface NativeImportance {
  name: string;
  /** Sums of the squared inputs per column; for an expert tensor one row of columns per expert. */
  sums: Float32Array;
  /** Number of inputs; for an expert tensor one count per expert. */
  counts: Float32Array;
}

/** The complete configuration of `llama_model_quantize`. */
export interface NativeQuantizeConfig {
  input: string;
  output: string;
  /** Name of an `llama_ftype`, e.g. `Q4_K_M`, `IQ1_S`. */
  type: string;
  /** 0: as many as the machine has. */
  threads: number;
  /** ggml type names; empty: llama.cpp's choice. */
  outputTensorType: string;
  tokenEmbeddingType: string;
  allowRequantize: boolean;
  quantizeOutputTensor: boolean;
  onlyCopy: boolean;
  pure: boolean;
  keepSplit: boolean;
  dryRun: boolean;
  tensorTypes: { pattern: string; type: string }[];
  imatrix: { name: string; values: Float32Array }[];
  metadataOverrides: NativeMetadataOverride[];
}

/** The arguments of `copyRange`: file descriptors and offsets. */
export interface NativeCopyRange {
  from: number;
  fromOffset: number;
  to: number;
  /** The range holds no data yet, and the file extends to its end. */
  toOffset: number;
  bytes: number;
}
