// The types of gguf.mjs, for tests.
export interface Pair {
  key: string;
  type: string;
  of?: string;
  value: unknown;
}
export interface Tensor {
  name: string;
  shape: number[];
  type: number;
  data: Buffer;
}
export interface ModelFile {
  pairs: Pair[];
  tensors: Tensor[];
  alignment?: number;
}
export function parse(path: string): ModelFile;
export function write(model: ModelFile): Buffer;
/** Of each tensor's data only the length counts. */
export function writeHeader(model: {
  pairs: Pair[];
  tensors: (Omit<Tensor, "data"> & { data: { length: number } })[];
  alignment?: number;
}): Buffer;
