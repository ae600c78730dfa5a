// Writes the tables of fields in docs/guide/server.md and docs/reference/server-protocols.md from
// the schemas that check the requests, or with --check says whether they are up to date. Needs
// `npm run build:ts`.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const { documentedFields } = await import("../dist/server/documented-fields.js");
const { fieldTable } = await import("../dist/server/openapi.js");

for (const { page, name, schema } of documentedFields) {
  const path = fileURLToPath(new URL(`../docs/${page}`, import.meta.url));
  const before = readFileSync(path, "utf8");
  const after = before.replace(
    new RegExp(`(<!-- fields: ${name} -->\n)[^]*?(<!-- end of fields -->)`),
    (_, start, end) => `${start}\n${fieldTable(schema)}\n\n${end}`,
  );
  if (!process.argv.includes("--check")) writeFileSync(path, after);
  else if (after !== before) {
    console.error(`docs/${page}: run node scripts/server-doc.mjs`);
    process.exitCode = 1;
  }
}
