// Writes the table of fields in docs/server.md from the schemas that check the requests, or with
// --check says whether it is up to date. Needs `npm run build:ts`.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = fileURLToPath(new URL("../docs/server.md", import.meta.url));
const { fieldTable } = await import("../dist/server/openapi.js");
const { chatFields } = await import("../dist/server/openai/chat-fields.js");

const before = readFileSync(path, "utf8");
const after = before.replace(
  /(<!-- fields: chat -->\n)[^]*?(<!-- end of fields -->)/,
  (_, start, end) => `${start}\n${fieldTable(chatFields)}\n\n${end}`,
);
if (!process.argv.includes("--check")) writeFileSync(path, after);
else if (after !== before) {
  console.error("docs/server.md: run node scripts/server-doc.mjs");
  process.exitCode = 1;
}
