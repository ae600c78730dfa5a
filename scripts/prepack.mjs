// Runs before `npm pack`: adds the pinned llama.cpp tree and a freshly compiled dist/ to the
// tarball.
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError, main, show } from "./build/process.mjs";
import { vendor } from "./vendor.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);

await main(async () => {
  if (process.env.R1_LLAMA_CPP_DIR)
    throw new BuildError(
      "the package carries the pinned llama.cpp tree; unset R1_LLAMA_CPP_DIR to pack it.",
    );
  await vendor();
  // Removes what was compiled from files that no longer exist.
  rmSync(join(root, "dist"), { recursive: true, force: true });
  await show(
    process.execPath,
    [require.resolve("typescript/bin/tsc"), "-p", join(root, "tsconfig.json")],
    { cwd: root, failure: "TypeScript found errors" },
  );
});
