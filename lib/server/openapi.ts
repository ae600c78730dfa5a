// The OpenAPI document and the table of fields of docs/guide/server.md, both made of the routes'
// schemas.
import { z } from "zod";
import type { FieldSchema } from "./core/fields.js";
import type { Protocol, Route } from "./core/protocol.js";

type Json = Record<string, unknown>;

/** A schema of Zod as JSON Schema; its own `$schema` line is left out. */
function jsonSchema(schema: FieldSchema): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
}

/** `/responses/:id` as OpenAPI writes it. */
const pathOf = (route: Route): string =>
  (route.bases === "all" ? "/v1" : "") + route.path.replace(/:(\w+)/g, "{$1}");

function operation(route: Route, protocol: Protocol): Json {
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  return {
    summary: route.summary,
    tags: [protocol.name],
    ...(route.isPublic === true ? { security: [] } : {}),
    ...(names.length === 0
      ? {}
      : {
          parameters: names.map((name) => ({
            name,
            in: "path",
            required: true,
            schema: { type: "string" },
          })),
        }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: jsonSchema(route.body) } },
          },
        }),
    responses: {
      "200": { description: "Done" },
      default: { description: "An error in the protocol's own form" },
    },
  };
}

/** The OpenAPI document. @param prefix - The app's base path. */
export function openApiDocument(protocols: readonly Protocol[], prefix: string): Json {
  const paths: Record<string, Json> = {};
  for (const protocol of protocols)
    for (const route of protocol.routes)
      (paths[pathOf(route)] ??= {})[route.method.toLowerCase()] = operation(route, protocol);
  return {
    openapi: "3.1.0",
    info: { title: "r1-native", version: "1", license: { name: "MIT" } },
    servers: [{ url: prefix === "" ? "/" : prefix }],
    security: [{ bearer: [] }, { key: [] }],
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        key: { type: "apiKey", in: "header", name: "x-api-key" },
      },
    },
    paths,
  };
}

/** What values a field takes, in a few words. */
function kindOf(schema: Json): string {
  const { type, enum: values, anyOf, oneOf, const: one } = schema;
  if (Array.isArray(values)) return values.map((value) => `\`${String(value)}\``).join(" ");
  if (one !== undefined) return `\`${JSON.stringify(one)}\``;
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices))
    return [...new Set((choices as Json[]).map(kindOf))].filter((kind) => kind !== "").join(", ");
  if (type === "array") return "list";
  return typeof type === "string" ? type : "";
}

/** The table of a route's fields in Markdown: name, values, meaning. */
export function fieldTable(schema: FieldSchema): string {
  const { properties = {}, required = [] } = jsonSchema(schema) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  const rows = Object.entries(properties).map(([name, field]) => {
    const mark = required.includes(name) ? " (required)" : "";
    const doc = typeof field["description"] === "string" ? field["description"] : "as in llama.cpp";
    return `| \`${name}\`${mark} | ${kindOf(field)} | ${doc.replaceAll("|", "\\|")} |`;
  });
  return ["| field | values | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}
