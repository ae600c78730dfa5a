// `npm run notices`: writes THIRD_PARTY_NOTICES.md, the licences of the code of others that the
// packages contain, from the files that this code comes with. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError, main } from "./build/process.mjs";
import { vendor } from "./vendor.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const target = join(root, "THIRD_PARTY_NOTICES.md");
const require = createRequire(import.meta.url);

/** The text of a licence file. */
const whole = (path) => readFileSync(path, "utf8").trim();

/** The comment at the start of a C++ file, without its marks, up to the first line that is none. */
function heading(path, lastLine) {
  const lines = readFileSync(path, "utf8").split("\n");
  const end = lines.findIndex((line) => line.includes(lastLine));
  if (end < 0 || !lines.slice(0, end + 1).every((line) => line.startsWith("//")))
    throw new BuildError(`${relative(root, path)} no longer begins with its licence.`);
  return lines
    .slice(0, end + 1)
    .map((line) => line.replace(/^\/\/ ?/, ""))
    .join("\n");
}

/** The lines of a file that contain a copyright and what is said of the licence with it. */
function lineWith(path, words) {
  const line = readFileSync(path, "utf8")
    .split("\n")
    .find((text) => text.includes(words));
  if (line === undefined)
    throw new BuildError(`${relative(root, path)} no longer has the line with "${words}".`);
  return line.replace(/^\s*\/\/ ?/, "");
}

function licenceOf(name) {
  const folder = dirname(require.resolve(`${name}/package.json`));
  const file = { "node-addon-api": "LICENSE.md", "node-api-headers": "LICENSE" }[name];
  return whole(join(folder, file));
}

function components(llama) {
  const { tag } = JSON.parse(readFileSync(join(root, "vendor", "llama.cpp.lock.json"), "utf8"));
  const cpu = join(llama, "ggml", "src", "ggml-cpu");
  const hash = join(llama, "vendor", "hash");
  const arm = lineWith(join(cpu, "kleidiai", "kernels.h"), "SPDX-FileCopyrightText");
  return [
    {
      name: `llama.cpp and ggml ${tag}`,
      where: "compiled into the libraries; its source is in the package r1-native",
      text: whole(join(llama, "LICENSE")),
    },
    {
      name: "sgemm of llamafile",
      where: "part of ggml's CPU backend",
      text: heading(join(cpu, "llamafile", "sgemm.cpp"), "// SOFTWARE."),
    },
    {
      name: "YaRN",
      where: "part of ggml's backends",
      text: lineWith(join(cpu, "ops.cpp"), "Jeffrey Quesnelle"),
    },
    {
      name: "KleidiAI interface of Arm Limited",
      where: "source only",
      text: `${arm.replace("SPDX-FileCopyrightText: ", "")}\nMIT license.`,
    },
    { name: "xxHash", where: "source only", text: whole(join(hash, "xxhash", "LICENSE")) },
    { name: "sha256", where: "source only", text: whole(join(hash, "sha256", "LICENSE")) },
    {
      name: "rotate-bits",
      where: "source only",
      text: whole(join(hash, "rotate-bits", "LICENSE.md")),
    },
    {
      name: "node-addon-api",
      where: "headers, compiled into the addon",
      text: licenceOf("node-addon-api"),
    },
    {
      name: "node-api-headers",
      where: "headers, compiled into the addon",
      text: licenceOf("node-api-headers"),
    },
    {
      name: "libgomp, GNU's OpenMP runtime library",
      where: "a file of its own in the packages for Linux",
      text:
        "Part of GCC. Copyright Free Software Foundation, Inc. Licensed under GPL-3.0-or-later WITH\n" +
        "GCC-exception-3.1: https://www.gnu.org/licenses/gpl-3.0.html and\n" +
        "https://www.gnu.org/licenses/gcc-exception-3.1.html. It is the unchanged library of the compiler\n" +
        "that built the package, and can be replaced by another one. Its source: https://gcc.gnu.org.",
    },
  ];
}

/** The whole text of the file. */
export async function notices() {
  const llama = await vendor();
  const parts = components(llama).map(
    ({ name, where, text }) => `## ${name}\n\nUsed as: ${where}.\n\n\`\`\`text\n${text}\n\`\`\`\n`,
  );
  const head = [
    "# Third-party notices",
    "",
    "r1-native and its packages contain code of others under these licences. `npm run notices` writes this",
    "file. The packages that r1-native depends on carry their own licences.",
  ];
  return `${head.join("\n")}\n\n${parts.join("\n")}`;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const text = await notices();
    if (!process.argv.includes("--check")) writeFileSync(target, text);
    else if (readFileSync(target, "utf8") !== text)
      throw new BuildError("THIRD_PARTY_NOTICES.md is out of date; run npm run notices.");
  });
}
