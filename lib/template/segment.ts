// Segments, the output of a template: text that can never become a special token, and special
// tokens by role.
import { R1Error } from "../base/errors.js";
import type { Role, RoleTokens } from "../base/types.js";

/** The owner of a text: the template itself, or a message by its role. */
export type SegmentOwner = "template" | "system" | "user" | "assistant" | "tool";

/**
 * A piece of a template's output. `text` is tokenised so that it cannot produce a special token,
 * whoever owns it and whatever it contains; a special token comes only from `special`.
 */
export type Segment =
  { readonly text: string; readonly owner: SegmentOwner } | { readonly special: Role };

/**
 * The range of one owner's text in the text form of a prompt. Unit: UTF-16 code units, as
 * JavaScript strings count.
 */
export interface OwnerSpan {
  /** The first code unit of the span. */
  readonly start: number;
  /** The first code unit after the span. */
  readonly end: number;
  /** The owner of the text. */
  readonly owner: SegmentOwner;
}

/**
 * A segment after joining: a run of text whose pieces may have several owners, or a special token.
 */
export type JoinedSegment =
  | {
      readonly text: string;
      readonly pieces: readonly { readonly owner: SegmentOwner; readonly length: number }[];
    }
  | { readonly special: Role };

/**
 * The text of every role's token in R1's own vocabulary and in those of the distills. `｜` is U+FF5C
 * and `▁` is U+2581. Source: DeepSeek's tokenizer files.
 */
export const ROLE_TEXTS: Readonly<Record<Role, string>> = Object.freeze({
  bos: "<｜begin▁of▁sentence｜>",
  eos: "<｜end▁of▁sentence｜>",
  pad: "<｜▁pad▁｜>",
  user: "<｜User｜>",
  assistant: "<｜Assistant｜>",
  think: "<think>",
  endThink: "</think>",
  toolCallsBegin: "<｜tool▁calls▁begin｜>",
  toolCallsEnd: "<｜tool▁calls▁end｜>",
  toolCallBegin: "<｜tool▁call▁begin｜>",
  toolCallEnd: "<｜tool▁call▁end｜>",
  toolOutputsBegin: "<｜tool▁outputs▁begin｜>",
  toolOutputsEnd: "<｜tool▁outputs▁end｜>",
  toolOutputBegin: "<｜tool▁output▁begin｜>",
  toolOutputEnd: "<｜tool▁output▁end｜>",
  toolSep: "<｜tool▁sep｜>",
});

/** Every role, in the order of {@link ROLE_TEXTS}. */
export const ROLES: readonly Role[] = Object.freeze(Object.keys(ROLE_TEXTS) as Role[]);

/**
 * A prompt without these is not R1's: a vocabulary that lacks one is refused. The other roles are
 * written as plain text if the vocabulary lacks them.
 */
const REQUIRED: ReadonlySet<Role> = new Set<Role>(["bos", "eos", "user", "assistant"]);

/**
 * Joins neighbouring texts of any owners, so that the tokeniser's merges are those of the whole
 * text, as in the reference. Empty texts are removed.
 */
export function joinSegments(segments: readonly Segment[]): JoinedSegment[] {
  const joined: JoinedSegment[] = [];
  let run: { texts: string[]; pieces: { owner: SegmentOwner; length: number }[] } | undefined;
  const close = (): void => {
    if (run !== undefined) joined.push({ text: run.texts.join(""), pieces: run.pieces });
    run = undefined;
  };
  for (const segment of segments) {
    if ("special" in segment) {
      close();
      joined.push(segment);
    } else if (segment.text !== "") {
      run ??= { texts: [], pieces: [] };
      run.texts.push(segment.text);
      const last = run.pieces.at(-1);
      if (last?.owner === segment.owner) last.length += segment.text.length;
      else run.pieces.push({ owner: segment.owner, length: segment.text.length });
    }
  }
  close();
  return joined;
}

/**
 * Converts segments to a form that a vocabulary supports. A role that the vocabulary lacks (id -1)
 * becomes plain text of the template, as in the reference tokeniser; BOS, EOS, User and Assistant
 * are required.
 *
 * @throws {R1Error} `TEMPLATE_UNSUPPORTED` when the vocabulary lacks BOS, EOS, User or Assistant.
 */
function resolveSegments(
  segments: readonly Segment[],
  tokens: RoleTokens,
  texts: Readonly<Record<Role, string>> = ROLE_TEXTS,
): Segment[] {
  return segments.map((segment) => {
    if (!("special" in segment) || tokens[segment.special] >= 0) return segment;
    if (REQUIRED.has(segment.special)) {
      throw new R1Error(
        "TEMPLATE_UNSUPPORTED",
        `The model's vocabulary has no token for R1's ${texts[segment.special]}, so R1's template cannot be used with it. Use \`complete()\` with a prompt in the model's own format (or \`template: "file"\`).`,
        { details: { role: segment.special } },
      );
    }
    return { text: texts[segment.special], owner: "template" };
  });
}

/**
 * Returns the arguments of `NativeModel.tokenizeSegments`: entry i is the token `ids[i]` if that is
 * >= 0, otherwise the text `texts[i]`.
 *
 * @param tokens - Ids of the roles in the model's vocabulary.
 * @param texts - Texts of the roles, for those without an id.
 * @throws {R1Error} `TEMPLATE_UNSUPPORTED`, see {@link resolveSegments}.
 */
export function segmentsToNative(
  segments: readonly Segment[],
  tokens: RoleTokens,
  texts: Readonly<Record<Role, string>> = ROLE_TEXTS,
): { texts: string[]; ids: Int32Array } {
  // One pass without the pieces of joinSegments: a conversation may have 10,000 segments.
  const joined: string[] = [];
  const ids: number[] = [];
  let run = "";
  const close = (): void => {
    if (run === "") return;
    joined.push(run);
    ids.push(-1);
    run = "";
  };
  for (const segment of resolveSegments(segments, tokens, texts)) {
    if ("special" in segment) {
      close();
      joined.push("");
      ids.push(tokens[segment.special]);
    } else run += segment.text;
  }
  close();
  return { texts: joined, ids: new Int32Array(ids) };
}

/**
 * Returns the text form, with special tokens written out. It is safe to tokenise it again with
 * special tokens parsed only if no message contains their text.
 */
export function segmentsToText(
  segments: readonly Segment[],
  texts: Readonly<Record<Role, string>> = ROLE_TEXTS,
): string {
  return segments
    .map((segment) => ("special" in segment ? texts[segment.special] : segment.text))
    .join("");
}

/**
 * Returns the owner of each part of {@link segmentsToText}'s result, in order and without gaps;
 * special tokens belong to the template.
 */
export function segmentSpans(
  segments: readonly Segment[],
  texts: Readonly<Record<Role, string>> = ROLE_TEXTS,
): OwnerSpan[] {
  const spans: { start: number; end: number; owner: SegmentOwner }[] = [];
  let at = 0;
  for (const segment of segments) {
    const [length, owner] =
      "special" in segment
        ? [texts[segment.special].length, "template" as const]
        : [segment.text.length, segment.owner];
    if (length === 0) continue;
    const last = spans.at(-1);
    if (last?.owner === owner) last.end += length;
    else spans.push({ start: at, end: at + length, owner });
    at += length;
  }
  return spans;
}

/** Whether a prompt ends inside a reasoning block: its last reasoning tag is an opening one. */
export function opensReasoning(segments: readonly Segment[]): boolean {
  for (let i = segments.length - 1; i >= 0; i--) {
    const segment = segments[i];
    if (segment === undefined || !("special" in segment)) continue;
    if (segment.special === "think") return true;
    if (
      segment.special === "endThink" ||
      segment.special === "assistant" ||
      segment.special === "user"
    )
      return false;
  }
  return false;
}
