// The special tokens of a vocabulary: their texts, and which of them begin or end a turn.
import type { RoleTokens } from "../base/types.js";
import type { NativeSpecialToken, NativeVocabInfo } from "../binding/native.js";

/** All control, user-defined and unknown tokens, read once per model. */
export class SpecialTokens {
  readonly #texts: ReadonlyMap<number, string>;

  constructor(readonly all: readonly NativeSpecialToken[]) {
    this.#texts = new Map(all.map(({ id, text }) => [id, text]));
  }

  /** Text of a special token; empty for any other token. */
  textOf(id: number): string {
    return this.#texts.get(id) ?? "";
  }
}

/**
 * Turn marks of other formats, as vocabularies spell them: ChatML, Llama, Gemma, Phi, Mistral,
 * Command and similar.
 */
const TURN_MARK =
  /^(?:<\|(?:im_start|im_end|im_sep|start_header_id|end_header_id|eot_id|eom_id|begin_of_text|end_of_text|endoftext|start|end|return|call|message|channel|user|assistant|system|observation|tool|turn|endofprompt|(?:START|END)_OF_TURN_TOKEN|(?:USER|CHATBOT|SYSTEM)_TOKEN|end_of_turn|start_of_role|end_of_role|eot|header_start|header_end)\|>|<(?:start|end)_of_turn>|\[\/?(?:INST|SYSTEM_PROMPT|TOOL_RESULTS)\]|<\/?s>)$/;

const TURN_ROLES = [
  "bos",
  "eos",
  "user",
  "assistant",
  "toolOutputsBegin",
  "toolOutputsEnd",
  "toolOutputBegin",
  "toolOutputEnd",
] as const;

/**
 * Ids that begin or end a turn: R1's roles, every token that ends a generation, and the turn marks
 * of other formats. A reasoning block never extends past one.
 */
export function turnTokens(
  vocab: Pick<NativeVocabInfo, "endOfGeneration">,
  roles: RoleTokens,
  special: readonly NativeSpecialToken[],
): ReadonlySet<number> {
  const ids = new Set<number>(vocab.endOfGeneration);
  for (const role of TURN_ROLES) ids.add(roles[role]);
  for (const { id, text } of special) if (TURN_MARK.test(text)) ids.add(id);
  for (const id of [-1, roles.think, roles.endThink]) ids.delete(id);
  return ids;
}
