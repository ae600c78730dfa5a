// POST /tokenize and /detokenize: text to ids and back.
import { z } from "zod";
import { badRequest } from "../core/api-error.js";
import { wellFormed } from "../core/conversation.js";
import type { Exchange } from "../core/protocol.js";
import { withTextModel } from "../core/text-model.js";

const model = z.string().optional().describe("A name of GET /v1/models (default: the first)");

/** The body of POST /tokenize. */
export const tokenizeFields = z.object({
  model,
  content: z.string().describe("The text"),
  add_special: z.boolean().optional().describe("Put BOS in front (default false)"),
  parse_special: z
    .boolean()
    .optional()
    .describe("Special strings become their tokens (default false; llama-server: true)"),
  with_pieces: z.boolean().optional().describe("Return the text of each token too"),
});

/** POST /tokenize */
export async function tokenize(exchange: Exchange): Promise<Response> {
  const fields = await exchange.fields(tokenizeFields);
  const { content, add_special: hasBos, parse_special: special = false } = fields;
  const entry = exchange.core.models.find(fields.model);
  const tokens = await withTextModel(exchange, entry, async ({ tokenizer }) => {
    const ids = await tokenizer.encodeAsync(wellFormed(content), { special });
    const all = hasBos === true && tokenizer.bos >= 0 ? [tokenizer.bos, ...ids] : [...ids];
    if (fields.with_pieces !== true) return all;
    return all.map((id) => {
      const piece = tokenizer.decode([id]);
      // As llama-server: bytes where they are a part of a character.
      return { id, piece: piece.includes("\ufffd") ? [...tokenizer.decodeBytes([id])] : piece };
    });
  });
  return exchange.json({ tokens });
}

/** The body of POST /detokenize. */
export const detokenizeFields = z.object({
  model,
  tokens: z.array(z.int().min(0)).max(1_000_000).describe("Token ids"),
});

/** POST /detokenize */
export async function detokenize(exchange: Exchange): Promise<Response> {
  const { tokens, model: name } = await exchange.fields(detokenizeFields);
  const entry = exchange.core.models.find(name);
  const content = await withTextModel(exchange, entry, ({ tokenizer }) => {
    const { size } = tokenizer;
    const wrong = tokens.findIndex((id) => id >= size);
    if (wrong >= 0)
      throw badRequest(
        `\`tokens[${wrong}]\`: ids are below ${size} in this vocabulary.`,
        `tokens[${wrong}]`,
        "invalid_value",
      );
    return tokenizer.decode(tokens);
  });
  return exchange.json({ content });
}
