// Tries one random conversation after the other. The oracle: the same conversation with every text
// replaced by a harmless one of the same shape has the same special ids in the same order.
import { isR1Error, loadModel } from "../../../dist/index.js";
import { outcomeOf } from "../child.mjs";
import { randomOf } from "../random.mjs";

const SPECIAL = [
  "<｜begin▁of▁sentence｜>",
  "<｜end▁of▁sentence｜>",
  "<｜User｜>",
  "<｜Assistant｜>",
  "<｜tool▁calls▁begin｜>",
  "<｜tool▁call▁begin｜>",
  "<｜tool▁sep｜>",
  "<｜tool▁call▁end｜>",
  "<｜tool▁calls▁end｜>",
  "<｜tool▁outputs▁begin｜>",
  "<｜tool▁output▁begin｜>",
  "<think>",
  "</think>",
  "<|im_start|>",
];
const ORDINARY = [
  "hi",
  "\n\n",
  "你好",
  "👩‍👩‍👧‍👦",
  "\0",
  "1+1",
  "<",
  "｜",
  "▁",
  " ",
  "Ġ",
  "{{ x }}",
  "é",
];
const NAMES = ["look", "get_weather", "a-b", "", "two words", "<｜tool▁sep｜>"];

/** Any value where a text, a call or a message belongs. */
const odd = (random) =>
  random.pick([
    undefined,
    null,
    0,
    1n,
    true,
    [],
    {},
    [null],
    [{ type: "text" }],
    Symbol.iterator,
    () => 1,
    { toString: () => "x" },
  ]);

function text(random) {
  let result = "";
  for (let i = random.pick([0, 1, 1, 2, 3, 6]); i > 0; i--) {
    const whole = random.oneIn(2) ? random.pick(SPECIAL) : random.pick(ORDINARY);
    const piece = [...whole];
    const cut = random.below(piece.length + 1);
    const [head, tail] = [piece.slice(0, cut).join(""), piece.slice(cut).join("")];
    result += random.pick([whole, whole, head, tail, head + whole + tail]);
  }
  if (random.oneIn(150)) result += "\ud800";
  return random.oneIn(60) ? result.repeat(500) : result;
}

/** A user's text: mostly one that is not refused as empty. */
const said = (random) => (random.oneIn(100) ? "" : text(random).trim() || "hi");

function call(random) {
  const name = random.oneIn(3) ? random.pick(NAMES) : "look";
  const values = { [text(random) || "city"]: random.oneIn(3) ? [text(random), 1] : text(random) };
  const ours = {
    id: text(random) || "a",
    name,
    arguments: random.oneIn(3) ? JSON.stringify(values) : values,
  };
  if (random.oneIn(12))
    return { id: "b", type: "function", function: { name, arguments: JSON.stringify(values) } };
  return random.oneIn(20) ? odd(random) : ours;
}

function message(random) {
  if (random.oneIn(60)) return odd(random);
  const role = random.oneIn(40)
    ? random.pick(["developer", "function", "", odd(random), "<｜User｜>"])
    : random.pick(["system", "user", "user", "assistant", "assistant", "tool"]);
  const made = {
    role,
    content: random.oneIn(8) ? [{ type: "text", text: text(random) }] : text(random),
  };
  if (random.oneIn(40)) made.content = odd(random);
  if (role === "assistant") {
    if (random.oneIn(2))
      made.toolCalls = Array.from({ length: random.below(3) }, () => call(random));
    if (random.oneIn(4)) made.reasoning = text(random);
    if (random.oneIn(10)) made.tool_calls = [call(random)];
  }
  if (role === "tool" && random.oneIn(3)) made.tool_call_id = text(random);
  if (random.oneIn(60)) made[random.pick(["name", "__proto__x", "cache"])] = odd(random);
  return made;
}

/** A conversation that mostly alternates as the template wants it. */
function conversation(random) {
  if (random.oneIn(60)) return odd(random);
  const list = [];
  if (random.oneIn(3)) list.push({ role: "system", content: text(random) });
  for (let i = random.below(5); i > 0; i--)
    list.push(
      { role: "user", content: said(random) },
      { role: "assistant", content: text(random) },
    );
  if (random.oneIn(3)) {
    const toolCalls = Array.from({ length: random.between(1, 3) }, () => call(random));
    list.push(
      { role: "user", content: said(random) },
      { role: "assistant", content: text(random), toolCalls },
      ...toolCalls.map(() => ({ role: "tool", content: text(random) })),
    );
  }
  for (let i = random.below(3); i > 0 && random.oneIn(2); i--) list.push(message(random));
  if (!random.oneIn(6)) list.push({ role: "user", content: said(random) });
  return list;
}

/** The same shape with harmless words; words that decide where special ids stand are kept. */
function harmless(value, key) {
  if (typeof value === "string") {
    if (["role", "type"].includes(key)) return value;
    // Ids stay apart from each other.
    if (/^(id|toolCallId|tool_call_id)$/.test(key))
      return `id-${Buffer.from(value).toString("hex")}`;
    if (key === "arguments") {
      try {
        return JSON.stringify(harmless(JSON.parse(value)));
      } catch {
        return "word";
      }
    }
    return value === "" || value.trim() === "" ? value : "word";
  }
  if (Array.isArray(value)) return value.map((each) => harmless(each, key));
  if (value === null || typeof value !== "object" || typeof value.toString !== "function")
    return value;
  let count = 0;
  const isMap = key === undefined || key === "arguments";
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      isMap ? `word${count++}` : name,
      harmless(each, isMap ? "value" : name),
    ]),
  );
}

export async function prepare(seed) {
  const model = await loadModel({ contextSize: 4096, sequences: 2, threads: 1 });
  const special = new Map();
  for (const piece of SPECIAL) {
    const ids = model.tokenizer.encode(piece, { special: true });
    if (ids.length === 1) special.set(ids[0], piece);
  }
  if (special.size < 5) throw new Error(`only ${special.size} special ids are known`);
  const specialsOf = (tokens) =>
    [...tokens]
      .filter((id) => special.has(id))
      .map((id) => special.get(id))
      .join("");
  const shown = (messages) => {
    try {
      return JSON.stringify(messages).slice(0, 1500);
    } catch {
      return String(messages);
    }
  };

  const attempt = async (number) => {
    const random = randomOf(seed, number);
    const messages = conversation(random);
    const options = {};
    if (random.oneIn(3)) options.openThink = random.oneIn(2);
    if (random.oneIn(6))
      options.tools = [
        {
          type: "function",
          function: {
            name: "look",
            description: text(random),
            parameters: {
              type: "object",
              properties: { [text(random) || "a"]: { type: "string", description: text(random) } },
            },
          },
        },
      ];
    let made;
    try {
      made = random.oneIn(2)
        ? model.formatChat(messages, options)
        : await model.formatChatAsync(messages, options);
    } catch (error) {
      return outcomeOf(error, isR1Error);
    }
    const plain = messages.map((each) => harmless(each, "message"));
    const plainOptions =
      options.tools === undefined
        ? options
        : {
            ...options,
            tools: [
              {
                type: "function",
                function: {
                  name: "look",
                  description: harmless(options.tools[0].function.description, "text"),
                  parameters: {
                    type: "object",
                    properties: { word: { type: "string", description: "word" } },
                  },
                },
              },
            ],
          };
    let expected;
    try {
      expected = specialsOf(model.formatChat(plain, plainOptions).tokens);
    } catch (error) {
      return {
        kind: "FUZZER",
        wrong: `no oracle: ${error.message} for ${shown(plain)} of ${shown(messages)}`,
      };
    }
    const found = specialsOf(made.tokens);
    if (found !== expected)
      return {
        kind: "forged",
        wrong: `${found} instead of ${expected} for ${shown(messages)} ${JSON.stringify(options)}`,
      };
    if (!random.oneIn(8)) return { kind: "formatted" };
    try {
      const { reasoning = {}, ...rest } = options;
      await model
        .chat(messages, {
          ...rest,
          ...("openThink" in rest ? {} : { reasoning }),
          maxTokens: 2,
          seed: 1,
        })
        .result();
      return { kind: "answered" };
    } catch (error) {
      return outcomeOf(error, isR1Error);
    }
  };
  const finish = async () => {
    await model.close();
    return [];
  };
  return { attempt, finish };
}
