// `r1-native quants`: shows the catalogue of R1's quants and distills; main thread.
import type { Command } from "commander";
import { R1_DISTILLS, R1_LAYERS, R1_QUANTS, ruleOfThumbLayers } from "../../plan/catalogue.js";
import { countText, tableText } from "../file-work.js";

function quantTable(): string {
  const rows = R1_QUANTS.map(({ name, bits, sizeGiB, accuracy, moeMix, layersOnGpu }) => {
    const cells = (["24 GB", "80 GB", "2 x 80 GB"] as const).map((device) => {
      const told = layersOnGpu[device];
      const rule = ruleOfThumbLayers(
        device === "24 GB" ? 24 : device === "80 GB" ? 80 : 160,
        sizeGiB,
      );
      return told === rule ? String(told) : `${told} (rule: ${rule})`;
    });
    return [name, bits.toFixed(2), `${sizeGiB} GiB`, accuracy, ...cells, moeMix];
  });
  return tableText(
    [["quant", "bits", "size", "accuracy", "24 GB", "80 GB", "2 x 80 GB", "experts"], ...rows],
    [1, 2],
  );
}

function distillTable(): string {
  const rows = R1_DISTILLS.map(
    ({ name, base, parameters, layers, cacheBytesPerToken, sizeGiB }) => [
      name,
      base,
      countText(parameters),
      String(layers),
      `${sizeGiB.Q4_K_M} GiB`,
      `${sizeGiB.Q8_0} GiB`,
      `${((cacheBytesPerToken * 8192) / 2 ** 30).toFixed(2)} GiB`,
    ],
  );
  return tableText(
    [
      ["distill", "base", "weights", "layers", "Q4_K_M", "Q8_0", "8192 tokens of f16 cache"],
      ...rows,
    ],
    [2, 3, 4, 5, 6],
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
      process.stdout.write(
        `DeepSeek-R1, 671B, ${R1_LAYERS} layers; of these on GPUs of\n${quantTable()}\n\n${distillTable()}\n`,
      );
      process.stdout.write(
        `\nLayers are the published table's; rule: floor(memory / size * ${R1_LAYERS} - 4). One fewer if memory runs out.\n`,
      );
    });
}
