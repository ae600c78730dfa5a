// Checks that a tag names the version in package.json and that the changelog has an entry for it;
// gives the version to later steps of the workflow.
import { appendFileSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError, main } from "../build/process.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

await main(async () => {
  const [tag] = process.argv.slice(2);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (tag !== `v${version}`)
    throw new BuildError(`the tag is ${tag}, and package.json has version ${version}.`);
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  if (!changelog.includes(`## ${version} - `))
    throw new BuildError(`CHANGELOG.md has no entry "## ${version} - DATE".`);
  if (process.env.GITHUB_OUTPUT) appendFileSync(process.env.GITHUB_OUTPUT, `version=${version}\n`);
  console.log(version);
});
