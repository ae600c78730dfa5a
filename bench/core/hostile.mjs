// Inputs that are large or expensive on purpose: texts, schemas, grammars, conversations. Pure.

const MB = 1_000_000;
const filled = (piece) => piece.repeat(Math.ceil(MB / Buffer.byteLength(piece)));
const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));

/** A megabyte of UTF-8 of each kind. */
export const TEXTS = {
  English: () => filled("The quick brown fox jumps over the lazy dog. "),
  "one letter": () => filled("Z"),
  Chinese: () => filled("你好世界，今天天气很好。"),
  ideographs: () => filled("龘"),
  kana: () => filled("こんにちは"),
  Hangul: () => filled("안녕하세요"),
  Thai: () => filled("สวัสดี"),
  Arabic: () => filled("مرحبا"),
  spaces: () => filled(" "),
  "line breaks": () => filled("\n"),
  tabs: () => filled("\t"),
  dashes: () => filled("-"),
  signs: () => filled("!@#$%^&*()"),
  digits: () => filled("1234567890"),
  emoji: () => filled("😀👨‍👩‍👧"),
  base64: () => filled("TWFuIGlzIGRpc3Rpbmd1aXNoZWQ"),
  "minified code": () => filled("function(a,b){return a+b;}var c=d[0]||{};"),
  DNA: () => filled("ACGTTGCAAC"),
  "mixed scripts": () => filled("aБ你1 é\t😀-ก\n"),
  "combining marks": () => filled("a\u0301\u0302"),
  "special tokens": () => filled("<｜User｜></think>"),
};

const nested = (depth, leaf) =>
  depth === 0 ? leaf : { type: "array", maxItems: 2, items: nested(depth - 1, leaf) };

/** Schemas for `response.schema`. */
export const SCHEMAS = {
  "2,000 listed strings": () => ({ enum: many(2000, (i) => `value number ${i}`) }),
  "a union of 300 variants": () => ({
    oneOf: many(300, (i) => ({
      type: "object",
      properties: { kind: { const: `kind${i}` }, size: { type: "integer" } },
      required: ["kind"],
    })),
  }),
  "400 optional properties": () => ({
    type: "object",
    properties: Object.fromEntries(many(400, (i) => [`property${i}`, { type: "string" }])),
  }),
  "2,000 branches of oneOf": () => ({ oneOf: many(2000, (i) => ({ const: i })) }),
  "1,000 parts of allOf": () => ({
    allOf: many(1000, (i) => ({ type: "string", maxLength: 2000 - i })),
  }),
  "arrays 150 deep": () => nested(150, { type: "integer" }),
  "an enum beside a pattern": () => ({
    enum: many(200, (i) => `${"a".repeat(40)}${i}!`),
    pattern: "^(a+)+$",
  }),
  "a long pattern": () => ({
    type: "string",
    pattern: `^(${many(300, (i) => `w${i}x?`).join("|")})+$`,
  }),
  "a repeated pattern": () => ({ type: "string", pattern: "^([a-z]{1,50}-){1,50}$" }),
  "bounds of 15 digits": () => ({
    type: "integer",
    minimum: -123456789012345,
    maximum: 987654321098765,
  }),
  "260,000 characters of descriptions": () => ({
    type: "object",
    properties: Object.fromEntries(
      many(100, (i) => [`p${i}`, { type: "string", description: "word ".repeat(500) }]),
    ),
  }),
  "500 definitions in a ring": () => ({
    $ref: "#/$defs/d0",
    $defs: Object.fromEntries(
      many(500, (i) => [
        `d${i}`,
        { type: "object", properties: { next: { $ref: `#/$defs/d${(i + 1) % 500}` } } },
      ]),
    ),
  }),
};

/** Texts for `response.grammar`. */
export const GRAMMARS = {
  "40 nesting branches": () =>
    `root ::= ${many(40, (i) => `"${String.fromCharCode(97 + (i % 26))}${i}" root "x"`).join(" | ")} | "e"`,
  "40 nesting branches that begin alike": () =>
    `root ::= ${many(40, (i) => `"a" root "${i}"`).join(" | ")} | "e"`,
  "1,500 rules in a chain": () =>
    `${many(1500, (i) => `r${i} ::= r${i + 1} "b"`)
      .join("\n")
      .replace(/^r0/, "root")}\nr1500 ::= "a"`,
  "60,000 stars": () => `root ::= "a"${"*".repeat(60_000)}`,
  "a token of 27,000 letters": () => `root ::= <${"a".repeat(27_000)}>`,
  "60,000 characters of alternatives": () => `root ::= ${many(6000, (i) => `"w${i}"`).join(" | ")}`,
  "repetitions of repetitions": () => `root ::= ((([a-z]{1,100}){1,100}){1,100}){1,100}`,
  "many readings": () => `root ::= ("a" | "aa" | "aaa" | "aaaa" | [a-z] | [a-z] [a-z])*`,
  "10,000 brackets": () => `root ::= ${"(".repeat(10_000)}"a"${")".repeat(10_000)}`,
  "500 classes in a star": () =>
    `root ::= (${many(500, (i) => `[a-z${String.fromCharCode(0x4e00 + i)}]`).join(" | ")})*`,
  "left recursion": () =>
    `root ::= a\n${many(500, (i) => `${i === 0 ? "a" : `a${i}`} ::= a${i + 1} | "b"`).join("\n")}\na500 ::= a`,
};

const tool = (parameters) => ({ type: "function", function: { name: "t", parameters } });

/** Messages for `chat`, with options. */
export const CONVERSATIONS = {
  "5,000 messages": () => ({
    messages: many(5001, (i) => ({
      role: i % 2 === 0 ? "user" : "assistant",
      content: `word ${i}`,
    })),
  }),
  "a tool of 330,000 characters": () => ({
    messages: [{ role: "user", content: "hi" }],
    options: {
      tools: [
        tool({
          type: "object",
          properties: { a: { anyOf: many(9000, (i) => ({ const: `value${i}xxxxxxxx` })) } },
        }),
      ],
    },
  }),
  "a tool's call and result of a megabyte": () => ({
    messages: [
      { role: "user", content: "hi" },
      {
        role: "assistant",
        content: "",
        toolCalls: [{ id: "c1", name: "t", arguments: { list: many(140_000, (i) => i) } }],
      },
      { role: "tool", toolCallId: "c1", content: filled('{"a":1},') },
    ],
    options: { tools: [tool({ type: "object" })] },
  }),
};
