// The flags that say where a model computes: GPUs, other machines and threads, in llama.cpp's
// words; data only.
import type { Flag, Row } from "./flags.js";
import { constant, integer, list, numbers, tensorOverrides, text, word } from "./flag-values.js";

const layers: Flag["parse"] = (values, name, before) => {
  const value = values.at(-1) ?? "";
  if (value === "auto" || value === "all") return value;
  const count = integer(values, name, before) as number;
  return count < 0 ? (count === -1 ? "auto" : "all") : count;
};

const threads: Flag["parse"] = (values, name, before) => {
  const count = integer(values, name, before) as number;
  return count <= 0 ? undefined : count;
};

/** Which devices hold which layers and tensors. */
export const deviceRows: readonly Row[] = [
  {
    names: ["-ngl", "--gpu-layers", "--n-gpu-layers"],
    value: "N",
    option: "gpuLayers",
    parse: layers,
    doc: "layers on GPUs: a number, auto or all (default: auto)",
  },
  {
    names: ["--backend-dir"],
    value: "DIR",
    option: "backendDir",
    parse: text,
    doc: "folder with further backend libraries, such as libggml-vulkan.so",
  },
  {
    names: ["-dev", "--device"],
    value: "NAMES",
    option: "devices",
    parse: list,
    doc: "devices to use, with commas between",
  },
  {
    names: ["--rpc"],
    value: "HOST:PORT,...",
    option: "rpc",
    parse: list,
    doc: "rpc-servers whose devices take layers too; they come first",
  },
  {
    names: ["--isolation"],
    value: "none|process",
    option: "isolation",
    parse: text,
    doc: "where the model lives: process is a child that may die alone (default with --rpc)",
  },
  {
    names: ["--trial"],
    value: "auto|always|never",
    option: "trial",
    parse: text,
    doc: "try the file in a child process before it is loaded (default: auto, until it has passed)",
  },
  {
    names: ["-sm", "--split-mode"],
    value: "MODE",
    option: "splitMode",
    parse: text,
    doc: "how GPUs share the model: none, layer or row (default: layer)",
  },
  {
    names: ["-ts", "--tensor-split"],
    value: "N,N,...",
    option: "tensorSplit",
    parse: numbers,
    doc: "share of each GPU (default: by free memory)",
  },
  {
    names: ["-mg", "--main-gpu"],
    value: "INDEX",
    option: "mainGpu",
    parse: integer,
    doc: "the GPU to use with --split-mode none (default: 0)",
  },
  {
    names: ["-ot", "--override-tensor"],
    value: "PATTERN=BUFFER,...",
    option: "tensorOverrides",
    parse: tensorOverrides,
    doc: "where tensors go whose name matches, such as exps=CPU",
  },
  {
    names: ["-cmoe", "--cpu-moe"],
    option: "cpuMoe",
    parse: constant(true),
    doc: "keep all experts in system memory",
  },
  {
    names: ["-ncmoe", "--n-cpu-moe"],
    value: "N",
    option: "nCpuMoe",
    parse: integer,
    doc: "keep the experts of the first N layers in system memory",
  },
  {
    names: ["-nkvo", "--no-kv-offload"],
    option: "offloadKqv",
    parse: constant(false),
    doc: "keep the KV cache in system memory",
  },
  {
    names: ["-kvo", "--kv-offload"],
    option: "offloadKqv",
    parse: constant(true),
    doc: "keep the KV cache with the layers (default)",
  },
  {
    names: ["--no-op-offload"],
    option: "opOffload",
    parse: constant(false),
    doc: "let no GPU compute layers whose weights are in system memory",
  },
  {
    names: ["--op-offload"],
    option: "opOffload",
    parse: constant(true),
    doc: "let a GPU compute large batches of them (default)",
  },
  {
    names: ["--numa"],
    value: "TYPE",
    option: "numa",
    parse: text,
    doc: "placement on NUMA machines: distribute, isolate or numactl",
  },
];

/** Threads and their priority. */
export const cpuRows: readonly Row[] = [
  {
    names: ["-t", "--threads"],
    value: "N",
    option: "threads",
    parse: threads,
    doc: "threads that decode (default: the physical cores; 1 for a file below 32 MiB)",
  },
  {
    names: ["-tb", "--threads-batch"],
    value: "N",
    option: "threadsBatch",
    parse: threads,
    doc: "threads that take in prompts (default: as --threads)",
  },
  {
    names: ["--prio"],
    value: "N",
    option: "priority",
    parse: word({ "0": "normal", "1": "medium", "2": "high", "3": "realtime" }),
    doc: "scheduling of the threads: 0 normal, 1 medium, 2 high, 3 realtime (default: 0)",
  },
  {
    names: ["--poll"],
    value: "0..100",
    option: "poll",
    parse: integer,
    doc: "how eagerly idle threads poll for work (default: 50)",
  },
  {
    names: ["--deterministic"],
    option: "deterministic",
    parse: constant(true),
    doc: "one sequence a decode, so that nothing beside can change the last bits",
  },
];
