// Recognises auxiliary requests: titles, tags and follow-up questions that a chat client asks for by
// itself. They run without thinking, at low priority, and as guests of the engine: they never cost a
// conversation its cells.

/** A request from outside, as far as auxiliary rules look at it. */
export interface AuxiliaryFacts {
  readonly headers: Headers;
  /** The request's `metadata`, or undefined. */
  readonly metadata: unknown;
  readonly model: string | undefined;
  readonly isStreamed: boolean;
  /** Text of the last user message. */
  readonly lastUserText: string;
}

/** A rule: all that it names must fit. */
export interface AuxiliaryRule {
  /** A request header with this name, and this value if one is given. */
  readonly header?: string | undefined;
  readonly headerValue?: string | undefined;
  /** The last user message fits this pattern; its first 2,000 characters are looked at. */
  readonly prompt?: RegExp | undefined;
  /** `metadata` has this key. */
  readonly metadata?: string | undefined;
  /** The request names this model. */
  readonly model?: string | undefined;
  /** The request streams, or does not. */
  readonly stream?: boolean | undefined;
}

const LOOKED_AT = 2000;

/** Rules unless the user sets others: Open WebUI's and LibreChat's prompts, and a header. */
export const DEFAULT_AUXILIARY: readonly AuxiliaryRule[] = Object.freeze([
  { header: "x-r1-aux" },
  { metadata: "task", stream: false },
  { prompt: /^### Task:\s/, stream: false },
  { prompt: /^Provide a concise, 5-word-or-less title/, stream: false },
  { prompt: /^(?:Generate|Write) a (?:concise|short|brief)[^\n]{0,80}\btitle\b/i, stream: false },
]);

function fits(rule: AuxiliaryRule, facts: AuxiliaryFacts): boolean {
  if (Object.values(rule).every((value) => value === undefined)) return false;
  const { header, headerValue, prompt, metadata, model, stream } = rule;
  if (header !== undefined) {
    const value = facts.headers.get(header);
    if (value === null || (headerValue !== undefined && value !== headerValue)) return false;
  }
  if (stream !== undefined && stream !== facts.isStreamed) return false;
  if (model !== undefined && model !== facts.model) return false;
  if (metadata !== undefined) {
    const given = facts.metadata;
    if (typeof given !== "object" || given === null || !Object.hasOwn(given, metadata))
      return false;
  }
  return prompt === undefined || prompt.test(facts.lastUserText.slice(0, LOOKED_AT));
}

/** Whether any of the rules takes a request for an auxiliary one. */
export function isAuxiliary(rules: readonly AuxiliaryRule[], facts: AuxiliaryFacts): boolean {
  return rules.some((rule) => fits(rule, facts));
}
