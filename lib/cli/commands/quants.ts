// `r1-native quants`: shows the catalogue of R1's quants and distills; main thread.
import type { Command } from "commander";
import { R1_DISTILLS, R1_LAYERS, R1_QUANTS, ruleOfThumbLayers } from "../../plan/catalogue.js";
import { wrapText } from "../wrap.js";
import { countText, tableText } from "../file-work.js";

/** Columns of a terminal that show the whole table. */
const WIDE = 120;

function quantTable(isWide: boolean): string {
  const rows = R1_QUANTS.map(({ name, bits, sizeGiB, accuracy, moeMix, layersOnGpu }) => {
    const cells = (["24 GB", "80 GB", "2 x 80 GB"] as const).map((device) => {
      const told = layersOnGpu[device];
      const rule = ruleOfThumbLayers(
        device === "24 GB" ? 24 : device === "80 GB" ? 80 : 160,
        sizeGiB,
      );
      return told === rule ? String(told) : `${told} (rule: ${rule})`;
    });
    return [
      name,
      bits.toFixed(2),
      `${sizeGiB} GiB`,
      accuracy,
      ...cells,
      ...(isWide ? [moeMix] : []),
    ];
  });
  return tableText(
    [
      [
        "quant",
        "bits",
        "size",
        "accuracy",
        "24 GB",
        "80 GB",
        "2 x 80 GB",
        ...(isWide ? ["experts"] : []),
      ],
      ...rows,
    ],
    [1, 2],
  );
}

function distillTable(isWide: boolean): string {
  const rows = R1_DISTILLS.map(
    ({ name, base, parameters, layers, cacheBytesPerToken, sizeGiB }) => [
      isWide ? name : name.replace("DeepSeek-R1-Distill-", ""),
      ...(isWide ? [base] : []),
      countText(parameters),
      String(layers),
      `${sizeGiB.Q4_K_M} GiB`,
      `${sizeGiB.Q8_0} GiB`,
      `${((cacheBytesPerToken * 8192) / 2 ** 30).toFixed(2)} GiB`,
    ],
  );
  return tableText(
    [
      [
        "distill",
        ...(isWide ? ["base"] : []),
        "weights",
        "layers",
        "Q4_K_M",
        "Q8_0",
        isWide ? "8192 tokens of f16 cache" : "cache",
      ],
      ...rows,
    ],
    isWide ? [2, 3, 4, 5, 6] : [1, 2, 3, 4, 5],
  );
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("quants")
    .description("show the quants of the 671B model and the distills")
    .option("--json", "as JSON")
    .action(({ json }: { json?: boolean }) => {
      if (json === true) {
        process.stdout.write(
          `${JSON.stringify({ layers: R1_LAYERS, quants: R1_QUANTS, distills: R1_DISTILLS }, null, 2)}\n`,
        );
        return;
      }
      const { columns } = process.stdout;
      const isWide = !process.stdout.isTTY || columns === 0 || columns >= WIDE;
      const text = `DeepSeek-R1 671B: size, and how many of its ${R1_LAYERS} layers GPUs of that memory hold

${quantTable(isWide)}

The distills${isWide ? "" : ", DeepSeek-R1-Distill-...; cache: 8192 tokens in f16"}

${distillTable(isWide)}

Layers are the published table's; rule: floor(memory / size * ${R1_LAYERS} - 4). One fewer if memory runs out.
Get one:
  r1-native pull unsloth/DeepSeek-R1-GGUF "*UD-IQ1_S*"
  r1-native pull unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:Q4_K_M
`;
      process.stdout.write(process.stdout.isTTY ? wrapText(text, columns || 80) : text);
    });
}
