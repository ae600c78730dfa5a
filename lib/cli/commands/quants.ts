// `r1-native quants`: shows the catalogue of R1's quants and distills. Main thread.
import type { Command } from "commander";
import { R1_DISTILLS, R1_LAYERS, R1_QUANTS, ruleOfThumbLayers } from "../../plan.js";
import { reportText } from "../report-json.js";
import { forTerminal } from "../wrap.js";
import { countText, tableText } from "../file-work.js";

/** How much of the tables fits on the terminal. */
type Width = "wide" | "middle" | "narrow";

const widthOf = (columns: number): Width =>
  columns >= 120 ? "wide" : columns >= 70 ? "middle" : "narrow";

/** A column: its heading, its cells, and the widths at which it is shown. */
interface Column<T> {
  readonly name: string | Readonly<Record<Width, string>>;
  readonly cell: (row: T, width: Width) => string;
  readonly widths?: readonly Width[];
  readonly isNumber?: boolean;
}

function table<T>(rows: readonly T[], columns: readonly Column<T>[], width: Width): string {
  const shown = columns.filter(({ widths }) => widths?.includes(width) !== false);
  return tableText(
    [
      shown.map(({ name }) => (typeof name === "string" ? name : name[width])),
      ...rows.map((row) => shown.map(({ cell }) => cell(row, width))),
    ],
    shown.flatMap(({ isNumber }, i) => (isNumber === true ? [i] : [])),
  );
}

const layersOn = (gpus: keyof Quant["layersOnGpu"], gigabytes: number): Column<Quant>["cell"] => {
  return ({ layersOnGpu, sizeGiB }, width) => {
    const published = layersOnGpu[gpus];
    const rule = ruleOfThumbLayers(gigabytes, sizeGiB);
    return published === rule || width === "narrow"
      ? String(published)
      : `${published} (rule: ${rule})`;
  };
};

const WIDER: readonly Width[] = ["wide", "middle"];

type Quant = (typeof R1_QUANTS)[number];
const QUANTS: readonly Column<Quant>[] = [
  { name: "quant", cell: ({ name }) => name },
  { name: "bits", cell: ({ bits }) => bits.toFixed(2), widths: WIDER, isNumber: true },
  { name: "size", cell: ({ sizeGiB }) => `${sizeGiB} GiB`, isNumber: true },
  { name: "accuracy", cell: ({ accuracy }) => accuracy, widths: WIDER },
  { name: "24 GB", cell: layersOn("24 GB", 24) },
  { name: "80 GB", cell: layersOn("80 GB", 80) },
  {
    name: { wide: "2 x 80 GB", middle: "2 x 80 GB", narrow: "2x80" },
    cell: layersOn("2 x 80 GB", 160),
  },
  { name: "experts", cell: ({ moeMix }) => moeMix, widths: ["wide"] },
];

type Distill = (typeof R1_DISTILLS)[number];
const cacheText = ({ cacheBytesPerToken }: Distill): string =>
  `${((cacheBytesPerToken * 8192) / 2 ** 30).toFixed(2)} GiB`;
const DISTILLS: readonly Column<Distill>[] = [
  {
    name: "distill",
    cell: ({ name }, width) => (width === "wide" ? name : name.replace("DeepSeek-R1-Distill-", "")),
  },
  { name: "base", cell: ({ base }) => base, widths: ["wide"] },
  {
    name: "weights",
    cell: ({ parameters }) => countText(parameters),
    widths: WIDER,
    isNumber: true,
  },
  { name: "layers", cell: ({ layers }) => String(layers), widths: WIDER, isNumber: true },
  { name: "Q4_K_M", cell: ({ sizeGiB }) => `${sizeGiB.Q4_K_M} GiB`, isNumber: true },
  { name: "Q8_0", cell: ({ sizeGiB }) => `${sizeGiB.Q8_0} GiB`, isNumber: true },
  {
    name: { wide: "8192 tokens of f16 cache", middle: "cache", narrow: "cache" },
    cell: cacheText,
    widths: WIDER,
    isNumber: true,
  },
];

const ABOUT_DISTILLS: Readonly<Record<Width, string>> = {
  wide: "",
  middle: ", DeepSeek-R1-Distill-...; cache: 8192 tokens in f16",
  narrow: ", DeepSeek-R1-Distill-...",
};

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("quants")
    .option("--json", "as JSON")
    .action(({ json }: { json?: boolean }) => {
      if (json === true) {
        process.stdout.write(
          reportText("quants", { layers: R1_LAYERS, quants: R1_QUANTS, distills: R1_DISTILLS }),
        );
        return;
      }
      const { columns } = process.stdout;
      const width = widthOf(process.stdout.isTTY && columns > 0 ? columns : Infinity);
      const text = `DeepSeek-R1 671B: size, and how many of its ${R1_LAYERS} layers fit on GPUs with that memory

${table(R1_QUANTS, QUANTS, width)}

The distills${ABOUT_DISTILLS[width]}

${table(R1_DISTILLS, DISTILLS, width)}

Layers are from the published table; rule: floor(memory / size * ${R1_LAYERS} - 4). Use one fewer if memory runs out.
Download one:
  r1-native pull unsloth/DeepSeek-R1-GGUF "*UD-IQ1_S*"
  r1-native pull unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:Q4_K_M
`;
      process.stdout.write(forTerminal(text, process.stdout));
    });
}
