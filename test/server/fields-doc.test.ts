// The table of fields in docs/guide/server.md and the OpenAPI document come from the schemas that
// check the requests.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { documentedFields } from "../../lib/server/documented-fields.js";
import { fieldTable, openApiDocument } from "../../lib/server/openapi.js";
import { PROTOCOLS } from "../../lib/server/protocols.js";

/** Without the white space that Prettier puts into tables. */
const plain = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("|") && !line.includes("---"))
    .map((line) => line.replaceAll(/\s+/g, " "));

test.each(documentedFields)("docs/$page has every field of $name", ({ page, name, schema }) => {
  const text = readFileSync(join(import.meta.dirname, "../../docs", page), "utf8");
  const [, table = ""] =
    new RegExp(`<!-- fields: ${name} -->([^]*?)<!-- end of fields -->`).exec(text) ?? [];
  expect(plain(table), "run node scripts/server-doc.mjs").toEqual(plain(fieldTable(schema)));
});

test("the OpenAPI document has every route with the fields of its body", () => {
  const { paths } = openApiDocument(PROTOCOLS, "") as {
    paths: Record<string, Record<string, { requestBody?: object }>>;
  };
  for (const { routes } of PROTOCOLS)
    for (const { path, method, body, bases } of routes) {
      const at = (bases === "all" ? "/v1" : "") + path.replace(/:(\w+)/g, "{$1}");
      const operation = paths[at]?.[method.toLowerCase()];
      expect(operation, at).toBeDefined();
      expect(operation?.requestBody !== undefined, at).toBe(body !== undefined);
    }
});
