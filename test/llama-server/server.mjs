#!/usr/bin/env node
// Stands in for the program llama-server in its own tests: `r1-native serve` with the embedded
// model, by llama-server's flags.

/** Flags with a value that name what the embedded model replaces, or a template. */
const DROPPED = new Set([
  "--hf-repo",
  "--hf-file",
  "--model",
  "--chat-template",
  "--chat-template-file",
]);
const given = process.argv.slice(2);
const args = [];
for (let i = 0; i < given.length; i++) {
  const flag = given[i];
  if (DROPPED.has(flag)) i++;
  else if (flag !== "--no-jinja") args.push(flag);
}
// What llama-server does by default, and r1-native when it is told to.
if (!given.includes("--kv-unified")) args.push("--no-kv-unified");
if (!given.includes("--metrics")) args.push("--no-metrics");
// The model of those tests does not think; a few tokens are all that they ask for.
if (!given.includes("--reasoning")) args.push("--reasoning", "off");
process.argv.splice(2, Infinity, "serve", "--any-model", ...args);
await import("../../dist/cli/main.js");
