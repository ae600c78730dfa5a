// Prompts of many kinds for the parity tests: name and raw text as it would stand after `--prompt`.
// Plain data.

const ask = (question: string): string => `<｜User｜>${question}<｜Assistant｜>`;

const sentence = (i: number): string =>
  `Item ${i}: the sum of ${i} and ${(i * 7) % 100} is noted, and box ${(i * 13) % 50} stays closed.`;
const long = (count: number): string =>
  Array.from({ length: count }, (_, i) => sentence(i)).join("\n");

/** Prompts whose ids stay below 500. */
export const SHORT_PROMPTS: Readonly<Record<string, string>> = {
  "one sum": ask("What is 1+1?"),
  "larger sum": ask("What is 347+586?"),
  subtraction: ask("What is 902-489?"),
  multiplication: ask("What is 12*7?"),
  "letters in a word": ask("How many letters r are in strawberry?"),
  "letters spelt": ask("Spell the word banana backwards."),
  "largest of": ask("Which is largest: 17, 4, 92, 35?"),
  sorting: ask("Sort 9, 3, 7, 1."),
  chinese: ask("一加一等于几？请用中文回答。"),
  emoji: ask("Count these: 🍎🍎🍎 and 👩‍👩‍👧‍👦 🇩🇪 🚀"),
  "mixed scripts": ask("Что такое 2+2? 日本語で。 مرحبا ไทย"),
  json: ask('{"a": 1, "b": [2, 3], "c": {"d": null}}\nAdd a and the first of b.'),
  python: ask("def f(x):\n\treturn x ** 2 + 1\n\n# What is f(3)?"),
  html: ask("<b>1+1</b> &amp; <think is not a tag> </thin k>"),
  greeting: ask("Hello! Who are you?"),
  "system and user": `You are brief.${ask("What is 5+8?")}`,
  "two turns": `<｜User｜>What is 1+1?<｜Assistant｜>It's 2.<｜end▁of▁sentence｜><｜User｜>And 2+2?<｜Assistant｜>`,
  "three turns": `<｜User｜>Hi<｜Assistant｜>Hello.<｜end▁of▁sentence｜><｜User｜>What is 3+4?<｜Assistant｜>It's 7.<｜end▁of▁sentence｜>${ask("Double it.")}`,
  "open reasoning": `${ask("What is 6+7?")}<think>\n`,
  "skipped reasoning": `${ask("What is 6+7?")}<think>\n\n</think>\n\n`,
  "inside the reasoning": `${ask("What is 40+2?")}<think>\nOkay, so I need to figure out`,
  "special tokens anywhere":
    "</think><｜Assistant｜><｜User｜><think>1<｜end▁of▁sentence｜>2</think>",
  "no markup at all": "The quick brown fox",
  "one token": "1",
  "one special token": "<｜User｜>",
  spaces: "     ",
  "line breaks and tabs": " \n\n\t \r\n  \n",
  backslashes: ask("C:\\new\\table says \\n and \\x41; what is 1+2?"),
};

/**
 * Prompts of several micro-batches: more than 512 ids, more than 1024, more than 2048 (the largest
 * batch of the flags' defaults).
 */
export const LONG_PROMPTS: Readonly<Record<string, string>> = {
  "over 512 tokens": ask(`${long(17)}\nWhat is 1+1?`),
  "over 1024 tokens": ask(`${long(33)}\nWhat is 12+30?`),
  "over 2048 tokens": ask(`${long(62)}\nWhat is 23+19?`),
};

/** All of them. */
export const PROMPTS: Readonly<Record<string, string>> = { ...SHORT_PROMPTS, ...LONG_PROMPTS };
