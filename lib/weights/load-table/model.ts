// Load options about the model's files and how they get into memory; data only.
import { metadataOverrides, modelPath } from "./checks.js";
import { choice, onOff, other, type LoadRow } from "./row.js";

export const MODEL_ROWS = {
  draftModel: {
    doc:
      "a small model with the same vocabulary that drafts tokens for this one to verify; its " +
      "file is checked and loaded like the model's own",
    kind: other("a path or `hf:owner/name:QUANT`", modelPath),
    flags: [
      {
        names: ["-md", "--spec-draft-model", "--model-draft"],
        value: "FILE",
        doc: "a small model with the same vocabulary that drafts tokens for this one to verify",
      },
      {
        names: ["-hfd", "-hfrd", "--spec-draft-hf", "--hf-repo-draft"],
        value: "OWNER/NAME[:QUANT]",
        reader: "hubName",
        doc: "such a model on the Hub",
      },
    ],
  },
  loadMode: {
    doc:
      "how the file gets into memory. `mmap`: pages are read when first used. " +
      "`mlock`: read and pinned. `direct`: read past the page cache. `none`: read. " +
      "`auto`: mmap where every device can",
    kind: choice("auto", "none", "mmap", "mlock", "direct"),
    default: "auto",
    native: "model",
    flags: [
      {
        names: ["-lm", "--load-mode"],
        value: "MODE",
        words: {
          auto: "auto",
          none: "none",
          mmap: "mmap",
          mlock: "mlock",
          dio: "direct",
          direct: "direct",
        },
        doc: "how to load the file into memory: auto, mmap, mlock, direct or none",
      },
      { names: ["--mmap"], sets: "mmap", doc: "map the file into memory" },
      { names: ["--no-mmap"], sets: "none", doc: "read the file instead of mapping it" },
      { names: ["--mlock"], sets: "mlock", doc: "read the file and pin it in memory" },
    ],
  },
  checkTensors: {
    doc: "looks for invalid values in all weights; reads the whole file",
    kind: onOff,
    default: false,
    native: "model",
    flags: [
      {
        names: ["--check-tensors"],
        sets: true,
        doc: "check every weight for invalid values; reads the whole file",
      },
    ],
  },
  metadataOverrides: {
    doc:
      "metadata to read instead of the file's, of the kind of the file's own value. Write " +
      '`{ kind: "float", value: 10000 }` where a whole number is meant as a float',
    kind: other("`{ key: value }`", metadataOverrides),
    defaultText: "none",
    native: "model",
    flags: [
      {
        names: ["--override-kv"],
        value: "KEY=TYPE:VALUE,...",
        reader: "metadataOverrides",
        doc: "metadata that replaces the file's; types: int, float, bool, str",
      },
    ],
  },
  repack: {
    doc:
      "CPU weights may be copied into faster layouts; those of an MLA file (R1 " +
      "itself) never on a CPU with AMX",
    kind: onOff,
    default: true,
    native: "model",
    flags: [
      {
        names: ["-nr", "--no-repack"],
        sets: false,
        doc: "keep CPU weights in the file's layout",
      },
      {
        names: ["--repack"],
        sets: true,
        doc: "let CPU weights be copied into faster layouts (default)",
      },
    ],
  },
} as const satisfies Record<string, LoadRow>;
