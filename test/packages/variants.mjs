// `npm run test:variants`: the prebuilt addon of `npm run prebuild` with each of its CPU variants
// alone. Greedy text is the same in all that this processor can run, from models of several
// quantised types; the others are refused with one error. Prints a table.
import { join } from "node:path";
import { BuildError, capture, main } from "../../scripts/build/process.mjs";
import { copyWithPrebuilt, cpuVariants, prebuiltFolder } from "../../scripts/packages/copy.mjs";
import { project, root, run, withFolder } from "./support.mjs";
import { Table } from "./table.mjs";

/** Types whose dot products have code of their own in the variants. */
const TYPES = ["Q8_0", "Q4_K_M", "Q4_0", "IQ4_XS"];

const QUESTIONS = ["What is 1+1?", "What is 7*8?", "Count to five.", "Who are you?"];

const PROGRAM = `import { loadModel } from "./dist/index.js";
const texts = {};
for (const path of process.argv.slice(2)) {
  const model = await loadModel(path);
  for (const question of ${JSON.stringify(QUESTIONS)}) {
    const options = { temperature: 0, maxTokens: 128, loopGuard: false };
    const run = model.chat([{ role: "user", content: question }], options);
    const { reasoning, answer } = await run.result();
    texts[path.replace(/.*[/]/, "") + ": " + question] = reasoning + "|" + answer;
  }
  await model.close();
}
console.log(JSON.stringify(texts));
`;

/** The embedded model in several types. */
function models(folder) {
  const source = join(root, "models", "tiny-r1.gguf");
  const command = join(root, "dist", "cli", "main.js");
  return [
    source,
    ...TYPES.map((type) => {
      const path = join(folder, `${type}.gguf`);
      const made = capture(process.execPath, [
        command,
        "quantize",
        source,
        path,
        type,
        "--allow-requantize",
      ]);
      if (!made.ok) throw new BuildError(`no model in ${type}: ${made.stderr}`);
      return path;
    }),
  ];
}

/** The texts with one variant; undefined if this processor cannot run it. */
async function textsOf(variant, paths) {
  const folder = join(root, "node_modules", ".cache", "r1-variant");
  copyWithPrebuilt(root, folder, variant);
  project(folder, { "texts.mjs": PROGRAM });
  try {
    const { output } = await run(process.execPath, ["texts.mjs", ...paths], { cwd: folder });
    return JSON.parse(output);
  } catch (error) {
    // Each variant reports which processors it runs on, and is not loaded on others.
    if (error.message.includes("No CPU backend could be loaded")) return undefined;
    throw error;
  }
}

function differences(texts, expected) {
  return Object.keys(expected).filter((name) => texts[name] !== expected[name]);
}

await main(async () => {
  const table = new Table();
  await withFolder(async (work) => {
    const paths = models(work);
    const variants = cpuVariants(prebuiltFolder(root));
    const chosen = await textsOf(undefined, paths);
    let ran = 0;
    table.head(["CPU variant", "greedy texts"]);
    for (const variant of variants)
      await table.row(variant, async () => {
        const texts = await textsOf(variant, paths);
        if (texts === undefined) return "not for this processor";
        ran += 1;
        const other = differences(texts, chosen);
        if (other.length > 0)
          throw new BuildError(`other texts than the chosen variant's: ${other.join("; ")}`);
        return `${Object.keys(texts).length} equal`;
      });
    await table.row("several of them ran", () => {
      if (ran < 2) throw new BuildError(`${ran} of ${variants.length} variants ran here.`);
      return `${ran} of ${variants.length}`;
    });
  });
  table.close();
});
