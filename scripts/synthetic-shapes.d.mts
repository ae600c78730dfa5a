// Types of synthetic-shapes.mjs, for tests in TypeScript.
import type { TensorSpec } from "./gguf-writer.mjs";
export const SHAPES: Record<
  | "qwen-0.5b"
  | "qwen-1.5b"
  | "r1-cells"
  | "deepseek2-legacy"
  | "deepseek2-256"
  | "r1-full-sparse"
  | "r1-full-legacy-sparse"
  | "r1-full-bf16-sparse"
  | "distill-qwen-7b-sparse"
  | "distill-qwen-32b-sparse"
  | "distill-llama-70b-sparse",
  (path: string) => Promise<string[]>
>;
export function random(name: string, type: string, shape: number[], sd?: number): TensorSpec;
export function vector(name: string, length: number, value: number): TensorSpec;
