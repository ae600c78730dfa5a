// Types of gguf-writer.mjs, for tests in TypeScript.
export type TensorData = Buffer | ((offset: number, length: number) => Buffer) | undefined;
export interface TensorSpec {
  name: string;
  type: string;
  shape: number[];
  data?: TensorData;
}
export const TENSOR_TYPES: Record<string, [id: number, block: number, bytes: number]>;
export function tensorBytes(type: string, shape: number[]): number;
export function pair(key: string, type: string, value: unknown): Buffer;
export function header(pairs: Buffer[], tensors: TensorSpec[], alignment?: number): Buffer;
export function writeGguf(path: string, pairs: Buffer[], tensors: TensorSpec[]): Promise<void>;
export function readGguf(path: string): Promise<{
  pairs: Map<
    string,
    { type: string; raw: Buffer; text?: string; strings?: string[]; data?: Buffer }
  >;
  tensors: (TensorSpec & { data: Buffer })[];
}>;
