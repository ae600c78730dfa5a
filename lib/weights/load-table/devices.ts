// Load options about where a model computes: devices, other machines, processes; data only.
import { checkEndpoints } from "../../rpc/endpoint.js";
import { folder, gpuLayers, names, tensorOverrides, tensorSplit } from "./checks.js";
import { choice, onOff, other, whole, type LoadRow } from "./row.js";

const NONE = Object.freeze([]);

export const DEVICE_ROWS = {
  gpuLayers: {
    doc:
      'layers on GPUs. `"auto"`: what `planOffload` plans for the free memory of the devices, ' +
      "overrides for experts included; 0 without a GPU " +
      "([planning](../guide/plan-and-download.md#planning))",
    kind: other('0 .. 10000, `"auto"`, `"all"`', gpuLayers),
    default: "auto",
    native: "model",
    flags: [
      {
        names: ["-ngl", "--gpu-layers", "--n-gpu-layers"],
        value: "N",
        reader: "layers",
        doc: "layers on GPUs: a number, auto or all",
      },
    ],
  },
  backendDir: {
    doc:
      "a folder with further backend libraries, such as `libggml-vulkan.so`; one that cannot " +
      "be used costs a warning ([GPUs](../guide/gpu.md))",
    kind: other("a folder", folder),
    flags: [
      {
        names: ["--backend-dir"],
        value: "DIR",
        doc: "folder with more backend libraries, such as libggml-vulkan.so",
      },
    ],
  },
  devices: {
    doc: "names of the devices to use, in this order, as `devices()` lists them",
    kind: other("a list of names", names),
    default: NONE,
    defaultText: "llama.cpp's choice",
    native: "model",
    flags: [
      {
        names: ["-dev", "--device"],
        value: "NAMES",
        reader: "list",
        doc: "devices to use, separated by commas",
      },
    ],
  },
  rpc: {
    doc:
      "rpc-servers whose devices come before those of this machine. Such a model " +
      "runs in a process of its own",
    kind: other('up to 16 of `"host:port"`', checkEndpoints),
    defaultText: "none",
    flags: [
      {
        names: ["--rpc"],
        value: "HOST:PORT,...",
        reader: "list",
        doc: "rpc-servers whose devices also hold layers; they are filled first",
      },
    ],
  },
  isolation: {
    doc:
      '`"process"`: weights and engine live in a child process, whose death fails its ' +
      "generations with `ENGINE_CRASHED` and leaves this process unharmed; the calls are the " +
      'same. Backend libraries are then loaded there. `"none"`: they live in this process',
    kind: choice("none", "process"),
    defaultText: '`"none"`, or `"process"` with `rpc`',
    flags: [
      {
        names: ["--isolation"],
        value: "none|process",
        doc: "where the model runs: process is a child that can crash alone (default with --rpc)",
      },
    ],
  },
  trial: {
    doc:
      "when a child process tries the file before it is loaded here, so that an abort of " +
      'llama.cpp ends that process alone. `"auto"`: unless these files have passed with these ' +
      "options and versions (remembered in the user's cache folder). Also for `draftModel`",
    kind: choice("auto", "always", "never"),
    default: "auto",
    flags: [
      {
        names: ["--trial"],
        value: "auto|always|never",
        doc: "try the file in a child process before loading it",
        shownDefault: "auto, until it has passed once",
      },
    ],
  },
  splitMode: {
    doc: "how several devices share the model",
    kind: choice("none", "layer", "row"),
    default: "layer",
    native: "model",
    flags: [
      {
        names: ["-sm", "--split-mode"],
        value: "MODE",
        doc: "how GPUs share the model: none, layer or row",
      },
    ],
  },
  tensorSplit: {
    doc: "share of each device",
    kind: other("up to 16 numbers >= 0", tensorSplit),
    default: NONE,
    defaultText: "by free memory",
    native: "model",
    flags: [
      {
        names: ["-ts", "--tensor-split"],
        value: "N,N,...",
        reader: "numbers",
        doc: "share of each GPU",
        shownDefault: "by free memory",
      },
    ],
  },
  mainGpu: {
    doc: 'index of the device that takes the model with `splitMode: "none"`',
    kind: whole(0, 1023),
    default: 0,
    native: "model",
    flags: [
      {
        names: ["-mg", "--main-gpu"],
        value: "INDEX",
        doc: "the GPU to use with --split-mode none",
      },
    ],
  },
  tensorOverrides: {
    doc:
      "regular expressions (RE2) over tensor names, and the buffer each sends its tensors to " +
      "(`CPU` or a device); the first match wins",
    kind: other("`{ pattern: buffer }` or `[{ pattern, buffer }]`", tensorOverrides),
    defaultText: "none",
    native: "model",
    flags: [
      {
        names: ["-ot", "--override-tensor"],
        value: "PATTERN=BUFFER,...",
        reader: "tensorOverrides",
        doc: "buffer for tensors whose name matches, such as exps=CPU",
      },
    ],
  },
  cpuMoe: {
    doc: "keeps the experts of all layers in system memory",
    kind: onOff,
    default: false,
    flags: [
      { names: ["-cmoe", "--cpu-moe"], sets: true, doc: "keep all experts in system memory" },
    ],
  },
  nCpuMoe: {
    doc: "keeps the experts of the first n layers in system memory",
    kind: whole(0, 10_000),
    default: 0,
    flags: [
      {
        names: ["-ncmoe", "--n-cpu-moe"],
        value: "N",
        doc: "keep the experts of the first N layers in system memory",
      },
    ],
  },
  offloadKqv: {
    doc: "keeps the KV cache with the layers on the devices",
    kind: onOff,
    default: true,
    native: "engine",
    flags: [
      {
        names: ["-nkvo", "--no-kv-offload"],
        sets: false,
        doc: "keep the KV cache in system memory",
      },
      {
        names: ["-kvo", "--kv-offload"],
        sets: true,
        doc: "keep the KV cache with the layers (default)",
      },
    ],
  },
  opOffload: {
    doc: "lets a GPU compute large batches of layers whose weights are in system memory",
    kind: onOff,
    default: true,
    native: "engine",
    flags: [
      {
        names: ["--no-op-offload"],
        sets: false,
        doc: "do not let a GPU compute layers whose weights are in system memory",
      },
      {
        names: ["--op-offload"],
        sets: true,
        doc: "let a GPU compute large batches of such layers (default)",
      },
    ],
  },
  numa: {
    doc: "placement on NUMA machines; the first model of the process decides",
    kind: choice("disabled", "distribute", "isolate", "numactl"),
    default: "disabled",
    flags: [
      {
        names: ["--numa"],
        value: "TYPE",
        doc: "placement on NUMA machines: distribute, isolate or numactl",
      },
    ],
  },
} as const satisfies Record<string, LoadRow>;
