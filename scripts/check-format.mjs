// Checks (or with --write fixes) the format of native/ with clang-format. Part of `npm run lint`
// and `npm run format`.
import { filesBelow } from "./build/files.mjs";
import { BuildError, capture, main, which } from "./build/process.mjs";

await main(() => {
  const write = process.argv.includes("--write");
  const files = filesBelow("native", /\.(cpp|h)$/);
  if (!which("clang-format")) {
    if (process.env.CI)
      throw new BuildError(
        "clang-format is needed to check native/ and was not found; install it with your package manager: sudo apt-get install clang-format.",
      );
    console.error(
      "r1-native: clang-format is not installed, so the format of native/ was not checked (sudo apt-get install clang-format).",
    );
    return;
  }
  const run = capture("clang-format", [...(write ? ["-i"] : ["--dry-run", "--Werror"]), ...files]);
  if (run.ok) return;
  const wrong = new Set(
    [...run.stderr.matchAll(/^(\S+?):\d+:\d+: error:/gm)].map((match) => match[1]),
  );
  throw new BuildError(
    wrong.size > 0
      ? `not as clang-format writes it: ${[...wrong].join(", ")}; run npm run format.`
      : `clang-format failed: ${run.stderr.trim().split("\n")[0]}`,
  );
});
