// The row of GPU packages: the package of the Vulkan backend is installed beside r1-native, which
// finds it by itself and computes on Mesa's software device.
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { softwareDriver, vulkanBackend } from "../../scripts/gpu-backend.mjs";
import { LIMITS, pack, stageLibraries } from "../../scripts/packages/stage.mjs";
import { targetOf } from "../../scripts/packages/targets.mjs";
import { readArchive } from "./archives.mjs";
import { cleanEnvironment, expectText, project, root, run } from "./support.mjs";

/** One token at a time, because a software device compiles its shaders for minutes otherwise. */
const PROGRAM = `import { devices, loadModel } from "r1-native";
console.log((await devices()).map(({ name }) => name).join());
const narrow = { contextSize: 1024, ubatchSize: 1, warmup: false };
const texts = [];
for (const gpuLayers of ["all", 0]) {
  const model = await loadModel(undefined, { ...narrow, gpuLayers, opOffload: gpuLayers === "all" });
  const question = [{ role: "user", content: "What is 12+30?" }];
  texts.push((await model.chat(question, { temperature: 0, maxTokens: 16 }).result()).text);
  console.log(model.info.memory.map(({ device, weightBytes }) => device + " " + weightBytes).join());
  await model.close();
}
console.log(texts[0] === texts[1] ? "equal" : "different: " + JSON.stringify(texts));
`;

/** Makes the package from a prebuilt backend of the same ggml. */
async function vulkanArchive(folder) {
  const target = targetOf("linux-x64-vulkan");
  const from = join(folder, "libraries");
  mkdirSync(from, { recursive: true });
  const library = "libggml-vulkan.so";
  cpSync(join(await vulkanBackend(), library), join(from, library));
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const staged = join(folder, "package");
  stageLibraries(root, manifest, target, { from, folder: staged });
  return pack(staged, folder, LIMITS.gpu);
}

async function vulkan(folder, { registry, add, version }) {
  const driver = softwareDriver();
  const { file, name, size } = await vulkanArchive(folder);
  add(readArchive(file));
  const user = project(join(folder, "user"), {
    "package.json": { name: "user", private: true, type: "module" },
    "gpu.mjs": PROGRAM,
  });
  const names = [`r1-native@${version}`, `${name}@${version}`];
  const flags = ["--registry", registry, "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", ["install", ...names, ...flags], { cwd: user, env: cleanEnvironment() });
  const env = {
    ...cleanEnvironment(),
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver,
    GGML_VK_VISIBLE_DEVICES: "0", // ggml passes software devices over unless they are named
  };
  const { output } = await run(process.execPath, ["gpu.mjs"], { cwd: user, env });
  expectText(output, /Vulkan0.*\n.*Vulkan0 [1-9]\d+.*\n.*\nequal\n$/);
  return `${(size / 1e6).toFixed(0)} MB, found, layers on Vulkan0, equal text`;
}

export const rows = [["Vulkan, software device", vulkan]];
