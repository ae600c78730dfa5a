// The part of the contract for making model files: what `quantize`, `computeImatrix` and
// `copyRange` are given. Types only; no code runs here.

/** One `metadataOverrides` entry: a GGUF key and the value it is to have. */
export interface NativeMetadataOverride {
  key: string;
  kind: "int" | "float" | "bool" | "string";
  /** A number for int and float, a boolean for bool, a string (at most 127 bytes) for string. */
  value: number | boolean | string;
}

/** What `computeImatrix` is given. */
export interface NativeImatrixConfig {
  tokens: Int32Array;
  /** Tokens run through the model at once, 16 .. 2^20; a rest shorter than this is left out. */
  chunkSize: number;
  threads: number;
}

/** Sums for one weight tensor, as `llama-imatrix` writes them. */
export interface NativeImportance {
  name: string;
  /** Squares of the inputs by column; for an expert tensor one row of columns for each expert. */
  sums: Float32Array;
  /** Inputs seen; for an expert tensor one count for each expert. */
  counts: Float32Array;
}

/** Everything `llama_model_quantize` is given. */
export interface NativeQuantizeConfig {
  input: string;
  output: string;
  /** An `llama_ftype` by name, e.g. `Q4_K_M`, `IQ1_S`. */
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

/** What `copyRange` is given: file descriptors, and where in them. */
export interface NativeCopyRange {
  from: number;
  fromOffset: number;
  to: number;
  /** No data lies in the range yet, and the file reaches to its end. */
  toOffset: number;
  bytes: number;
}
