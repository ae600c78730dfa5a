// Replaces texts with unguessable marks while a foreign template is rendered, and finds the marks
// in the output.
import { randomInt } from "node:crypto";
import { R1Error } from "../base/errors.js";
import type { SegmentOwner } from "./segment.js";

/** A part of a rendered template: its own text, or that of a message. */
export interface OwnedText {
  readonly text: string;
  readonly owner: SegmentOwner;
}

const OPEN = "\uE0F0";
const CLOSE = "\uE0F1";

/**
 * Identifiers such as types and names are not replaced, so that a template can inspect them. They
 * cannot be part of a control string that the template does not complete itself.
 */
const IDENTIFIER = /^[A-Za-z0-9_.-]{0,64}$/;

/**
 * The texts of one rendering and their marks. A mark is not affected by case and contains a
 * quotation mark, whose escaping shows whether the template wrote the text directly or inside JSON,
 * once or several times. White space around a text stays outside the mark, so that a template's
 * `trim` works.
 */
export class Placeholders {
  private readonly nonce = Array.from({ length: 4 }, () =>
    String(randomInt(2 ** 47)).padStart(15, "0"),
  ).join("");
  private readonly texts: OwnedText[] = [];

  /** Returns the mark for a text; an empty text and white space are returned unchanged. */
  mark(text: string, owner: SegmentOwner): string {
    const core = text.trim();
    if (core === "") return text;
    const at = text.indexOf(core);
    this.texts.push({ text: core, owner });
    return `${text.slice(0, at)}${OPEN}${this.nonce}:${this.texts.length - 1}:"${CLOSE}${text.slice(at + core.length)}`;
  }

  /** Returns JSON data with a mark for every key and string that is more than an identifier. */
  markData(value: unknown, owner: SegmentOwner): unknown {
    if (typeof value === "string") return IDENTIFIER.test(value) ? value : this.mark(value, owner);
    if (Array.isArray(value)) return value.map((element) => this.markData(element, owner));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, element]) => [
        IDENTIFIER.test(key) ? key : this.mark(key, owner),
        this.markData(element, owner),
      ]),
    );
  }

  /**
   * Splits a rendered text at the marks.
   *
   * @throws {R1Error} `TEMPLATE_UNSUPPORTED` when the template cut or changed a mark.
   */
  split(rendered: string): OwnedText[] {
    const pieces: OwnedText[] = [];
    const own = (text: string): void => {
      if (text.includes(this.nonce.slice(0, 15)) || text.includes(OPEN) || text.includes(CLOSE)) {
        throw new R1Error(
          "TEMPLATE_UNSUPPORTED",
          "The file's own chat template cuts or rewrites the texts of messages, so they " +
            'cannot be distinguished from the template\'s own text. Use `template: "r1"` if ' +
            "the model uses R1's format, or `complete()` with a prompt of your own.",
        );
      }
      if (text !== "") pieces.push({ text, owner: "template" });
    };
    let at = 0;
    for (const found of rendered.matchAll(
      new RegExp(`${OPEN}${this.nonce}:(\\d+):(\\\\*)"${CLOSE}`, "g"),
    )) {
      own(rendered.slice(at, found.index));
      const marked = this.texts[Number(found[1])];
      if (marked !== undefined)
        pieces.push({ text: escaped(marked.text, found[2]?.length ?? 0), owner: marked.owner });
      at = found.index + found[0].length;
    }
    own(rendered.slice(at));
    return pieces;
  }
}

/**
 * Returns a text as JSON writes it inside a string, nested n times; a quotation mark then has 2^n -
 * 1 backslashes.
 */
function escaped(text: string, backslashes: number): string {
  let made = text;
  for (let depth = Math.round(Math.log2(backslashes + 1)); depth > 0; depth--)
    made = JSON.stringify(made).slice(1, -1);
  return made;
}
