// Rows of bundlers: @vercel/nft's trace of a program is complete without node_modules; with
// r1-native left out of a bundle, the program runs; bundled with it, it ends with one clear error.
import { cpSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expectText, project, root, run, tool } from "./support.mjs";

const MODEL = join(root, "models", "tiny-r1.gguf");

/** Runs a script that uses a bundler; the script gets `input`. */
async function withTool(folder, packages, code, input) {
  const modules = dirname(tool(...packages));
  // A script's own place decides which packages it finds.
  const name = `task-${process.pid}.mjs`;
  const inside = join(modules, "..");
  project(inside, { [name]: `const input = JSON.parse(process.argv[2]);\n${code}` });
  return run(process.execPath, [join(inside, name), JSON.stringify(input)], { cwd: folder });
}

const TRACE = `import { nodeFileTrace } from "@vercel/nft";
const { fileList } = await nodeFileTrace([input.entry], { base: input.base });
console.log(JSON.stringify([...fileList]));`;

/** Copies what the trace names, and nothing else, to another folder, and runs it there. */
async function trace(folder, { user }) {
  const { output } = await withTool(user, ["@vercel/nft@1"], TRACE, {
    entry: join(user, "runtime.mjs"),
    base: user,
  });
  const elsewhere = join(folder, "traced");
  const files = [...JSON.parse(output), "worker.mjs"];
  let size = 0;
  for (const file of files) {
    mkdirSync(dirname(join(elsewhere, file)), { recursive: true });
    cpSync(join(user, file), join(elsewhere, file));
    size += statSync(join(user, file)).size;
  }
  const { output: said } = await run(process.execPath, ["runtime.mjs"], { cwd: elsewhere });
  expectText(said, /^ok: end$/m);
  return `${files.length} files, ${(size / 1e6).toFixed(0)} MB, run elsewhere`;
}

const BUNDLE = {
  esbuild: [
    ["esbuild@0.28"],
    `import { build } from "esbuild";
const banner = 'import { createRequire as r1 } from "node:module"; const require = r1(import.meta.url);';
await build({ entryPoints: [input.entry], bundle: true, platform: "node", format: "esm",
  outfile: input.out, external: input.external, logLevel: "error", banner: { js: banner } });`,
  ],
  webpack: [
    ["webpack@5"],
    `import { basename, dirname } from "node:path";
import webpack from "webpack";
const output = { path: dirname(input.out), filename: basename(input.out), module: true,
  chunkFormat: "module" };
const config = { mode: "production", target: "node20", entry: input.entry, output,
  experiments: { outputModule: true }, externalsType: "module", externals: input.external,
  optimization: { minimize: false } };
const stats = await new Promise((resolve, reject) =>
  webpack(config, (error, result) => (error ? reject(error) : resolve(result))));
if (stats.hasErrors()) throw new Error(stats.toString("errors-only"));`,
  ],
  "Vite SSR": [
    ["vite@7"],
    `import { basename, dirname } from "node:path";
import { build } from "vite";
const ssr = input.external.length > 0 ? { external: input.external } : { noExternal: true };
await build({ root: input.root, logLevel: "error", configFile: false, ssr,
  build: { ssr: input.entry, outDir: dirname(input.out), emptyOutDir: false,
    rollupOptions: { output: { entryFileNames: basename(input.out) } } } });`,
  ],
};

/** webpack bundles no addon: the build ends with an error that names the file. */
const REFUSED = { webpack: /r1-native\.node[^]*You may need an appropriate loader/ };

async function bundle(folder, user, [packages, code], refused) {
  const make = (entry, out, external) =>
    withTool(user, packages, code, { entry: join(user, entry), out, root: user, external });
  const outside = join(user, "out", `${packages[0].replace(/@.*/, "")}.mjs`);
  await make("hello.mjs", outside, ["r1-native"]);
  const { output } = await run(process.execPath, [outside], { cwd: user });
  expectText(output, /^hello: /m);
  const inside = join(folder, "bundled.mjs");
  if (refused !== undefined) {
    const { message } = await make("failing.mjs", inside, []).then(
      () => ({ message: "it was bundled" }),
      (error) => error,
    );
    expectText(message, refused);
    expectText(message, /compiled with 1 error$/m);
    return "left out: runs; bundled: the build ends with one error";
  }
  await make("failing.mjs", inside, []);
  // A bundle is taken to another machine, where the project's packages are not.
  const modules = join(user, "node_modules");
  renameSync(modules, `${modules}.away`);
  try {
    const embedded = await run(process.execPath, [inside], { cwd: folder });
    expectText(embedded.text, /^FILE_NOT_FOUND: .*bundled.*\n$/);
    const own = await run(process.execPath, [inside, MODEL], { cwd: folder });
    expectText(own.text, /^ADDON_MISSING: .*bundled.*\n$/);
  } finally {
    renameSync(`${modules}.away`, modules);
  }
  return "left out: runs; bundled: one error";
}

export const rows = [
  ["@vercel/nft", trace],
  ...Object.entries(BUNDLE).map(([name, setting]) => [
    name,
    (folder, { user }) => bundle(folder, user, setting, REFUSED[name]),
  ]),
];
