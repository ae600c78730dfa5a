// The schemas whose fields the documents have in tables, and where: `npm run docs` writes them.
import { z } from "zod";
import { messagesFields } from "./anthropic/fields.js";
import { samplingFields } from "./core/sampling.js";
import type { FieldSchema } from "./core/fields.js";
import { chatFields } from "./openai/chat-fields.js";
import { responsesFields } from "./responses/fields.js";

/** The tables of the other protocols refer to that of chat completions for these. */
const SAMPLING: Readonly<Record<string, unknown>> = samplingFields;

const withoutSampling = ({ shape }: FieldSchema): FieldSchema =>
  z.object(
    Object.fromEntries(Object.entries(shape).filter(([name]) => !Object.hasOwn(SAMPLING, name))),
  );

const PROTOCOLS = "reference/server-protocols.md";

/** A table of a page of docs/, between `<!-- fields: NAME -->` and `<!-- end of fields -->`. */
export interface DocumentedFields {
  readonly page: string;
  readonly name: string;
  readonly schema: FieldSchema;
}

/** Every table. */
export const documentedFields: readonly DocumentedFields[] = Object.freeze([
  { page: "guide/server.md", name: "chat", schema: chatFields },
  { page: PROTOCOLS, name: "responses", schema: withoutSampling(responsesFields) },
  { page: PROTOCOLS, name: "messages", schema: withoutSampling(messagesFields) },
]);
