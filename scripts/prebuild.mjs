// `npm run prebuild`: builds an addon for every CPU of this platform into
// prebuilds/<platform>-<arch>/, with prebuildify and the same CMake build.
import { copyFileSync, existsSync, realpathSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { collect } from "./build/collect.mjs";
import { filesBelow } from "./build/files.mjs";
import { BuildError, capture, main, show } from "./build/process.mjs";
import { requireTools } from "./build/tools.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const folder = join(root, "prebuilds", `${platform()}-${arch()}`);

/**
 * GNU's OpenMP runtime, if the compiler links to it: small systems lack it, and a library next to
 * ours is found. Its licence (GPL with the runtime library exception) allows us to distribute it.
 */
function addOpenMP() {
  if (platform() !== "linux") return;
  const compiler = process.env.CXX?.split(" ")[0] ?? "c++";
  const library = capture(compiler, ["-print-file-name=libgomp.so.1"]).stdout.trim();
  if (library.includes("/")) copyFileSync(realpathSync(library), join(folder, "libgomp.so.1"));
}

/** Without any of these the package would install but not run. */
const EXPECTED = [
  /^r1-native\.node$/,
  /^libllama\.(so|dylib)$/,
  /^libggml\.(so|dylib)$/,
  /^libggml-base\.(so|dylib)$/,
  /^libggml-cpu-\w+\.so$/,
];

await main(async () => {
  requireTools({ nodeGyp: true });
  rmSync(folder, { recursive: true, force: true });
  // Node-API 8, so one target works for every Node. The C library is not part of the tag, because
  // each platform has one prebuild.
  await show(
    process.execPath,
    [
      require.resolve("prebuildify/bin.js"),
      "--napi",
      "--strip",
      `--target=${process.versions.node}`,
    ],
    {
      cwd: root,
      env: {
        ...process.env,
        R1_PORTABLE: "1",
        npm_config_nodedir: join(root, "scripts", "build", "nodedir"),
      },
      failure: "prebuildify failed; the output above says why",
    },
  );
  // prebuildify builds in the folder of the machine's own build: restore that, or remove it.
  rmSync(join(root, "build"), { recursive: true, force: true });
  const own = join(root, "build-native", "bin");
  if (existsSync(join(own, "r1_native.node"))) collect(own, join(root, "build", "Release"));
  addOpenMP();
  const names = filesBelow(folder, /./).map((path) => path.slice(folder.length + 1));
  const missing = EXPECTED.filter((name) => !names.some((found) => name.test(found)));
  if (missing.length > 0)
    throw new BuildError(
      `the prebuild lacks ${missing.map((name) => name.source).join(", ")}; it has ${names.join(", ")}.`,
    );
  console.error(`r1-native: ${names.length} files in prebuilds/${platform()}-${arch()}`);
});
