// Claims about files' own templates: what they say of the thinking, and that rendering a foreign
// one keeps user text safe and hostile ones harmless.
import { readFileSync, readdirSync } from "node:fs";
import { Template } from "@huggingface/jinja";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatMessage } from "../../lib/base/types.js";
import { templateOpensThink } from "../../lib/template/file-template.js";
import {
  foreignToNative,
  renderForeign,
  splitSpecial,
  type ForeignInit,
  type ForeignPiece,
} from "../../lib/template/foreign.js";
import { parseJinja, renderJinja } from "../../lib/template/jinja.js";

const TEMPLATES = new URL("../../vendor/llama.cpp/models/templates/", import.meta.url);
const load = (name: string): string => readFileSync(new URL(name, TEMPLATES), "utf8");

const R1_OLD =
  "{{ bos_token }}{% for m in messages %}{{ '<｜User｜>' + m['content'] }}{% endfor %}{% if add_generation_prompt %}{{ '<｜Assistant｜>' }}{% endif %}";
const CHATML =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const CHATML_TOKENS = ["<|im_start|>", "<|im_end|>", "<|im_start|>x"].map((text, i) => ({
  id: 100 + i,
  text,
}));

const text = (pieces: readonly ForeignPiece[]): string =>
  pieces.map((piece) => piece.text).join("");
const init = (chatTemplate: string, more: Partial<ForeignInit> = {}): ForeignInit => ({
  chatTemplate,
  specialTokens: CHATML_TOKENS,
  bosText: "<s>",
  eosText: "</s>",
  ...more,
});

describe("what a file's template says", () => {
  it("is read off its rendering, not off its source", () => {
    expect(templateOpensThink(load("deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja"))).toBe(true);
    expect(templateOpensThink(load("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja"))).toBe(true);
    expect(templateOpensThink(load("llama-cpp-deepseek-r1.jinja"))).toBe(true);
    expect(templateOpensThink(R1_OLD)).toBe(false);
    expect(templateOpensThink(`{# add <think>\n #}${R1_OLD}`)).toBe(false);
    expect(templateOpensThink(`${R1_OLD}{{ '<thi' + 'nk>\n' }}`)).toBe(true);
    expect(templateOpensThink(`${R1_OLD}<think>\n\n</think>`)).toBe(false);
  });

  it("is nothing when there is no template, or a broken or refusing one", () => {
    for (const source of [
      null,
      "",
      "{% if %}",
      "{{ raise_exception('no') }}",
      "{{ messages[0].nothing.there }}",
      "x".repeat(300_000),
    ]) {
      expect(templateOpensThink(source)).toBe(false);
    }
  });

  it("is the same when parsed ahead, and a broken one is told of by the rendering", async () => {
    const values = {
      add_generation_prompt: true,
      bos_token: "<s>",
      eos_token: "</s>",
      messages: [{ role: "user", content: "  Hi\n" }],
    };
    const named = readdirSync(TEMPLATES).filter((name) => /deepseek|qwen|llama|gemma/i.test(name));
    const sources = [...named.map(load), "a\n  {% if true %}\nb\n  {% endif %}\n", CHATML, R1_OLD];
    expect(sources.length).toBeGreaterThan(10);
    for (const source of sources) {
      const outcome = (): unknown => {
        try {
          return renderJinja(source, values);
        } catch (error) {
          return String(error);
        }
      };
      renderJinja("something else", {}); // which is parsed in one go
      const atOnce = outcome();
      renderJinja("something else", {});
      await parseJinja(source);
      expect(outcome()).toBe(atOnce);
    }
    await parseJinja("{% if %}");
    expect(() => renderJinja("{% if %}", {})).toThrow(
      expect.objectContaining({ code: "TEMPLATE_UNSUPPORTED" }),
    );
  });

  it("is given up on when it never ends", () => {
    const endless =
      "{% set ns = namespace(n=0) %}{% for a in range(100000000) %}{% for b in range(1000) %}{% set ns.n = ns.n + 1 %}{% endfor %}{% endfor %}";
    const start = performance.now();
    expect(templateOpensThink(endless)).toBe(false);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(() => renderJinja(endless, {})).toThrow(
      expect.objectContaining({ code: "TEMPLATE_UNSUPPORTED" }),
    );
  });

  it("is given up on when its output doubles without end", () => {
    const doubling =
      "{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for a in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}";
    expect(() => renderJinja(doubling, {})).toThrow(
      expect.objectContaining({ code: "TEMPLATE_UNSUPPORTED" }),
    );
  });
});

describe("a foreign template", () => {
  it("is rendered with its special tokens as ids and the messages as text", () => {
    const pieces = renderForeign(
      [{ role: "user", content: " Hi <|im_end|> there\n" }],
      init(CHATML),
    );
    expect(pieces).toEqual([
      { token: 100, text: "<|im_start|>" },
      { text: "user\n", owner: "template" },
      { text: "Hi <|im_end|> there", owner: "user" },
      { token: 101, text: "<|im_end|>" },
      { text: "\n", owner: "template" },
      { token: 100, text: "<|im_start|>" },
      { text: "assistant\n", owner: "template" },
    ]);
  });

  it("joins its neighbouring texts for the tokeniser, and tells whose they are", () => {
    const native = foreignToNative(renderForeign([{ role: "user", content: "Hi" }], init(CHATML)));
    expect(native.texts).toEqual(["", "user\nHi", "", "\n", "", "assistant\n"]);
    expect([...native.ids]).toEqual([100, -1, 101, -1, 100, -1]);
    expect(
      native.spans.map((span) => [span.owner, native.text.slice(span.start, span.end)]),
    ).toEqual([
      ["template", "<|im_start|>user\n"],
      ["user", "Hi"],
      ["template", "<|im_end|>\n<|im_start|>assistant\n"],
    ]);
  });

  it("takes the longest special token at each place", () => {
    expect(splitSpecial([{ text: "a<|im_start|>xb", owner: "template" }], CHATML_TOKENS)).toEqual([
      { text: "a", owner: "template" },
      { token: 102, text: "<|im_start|>x" },
      { text: "b", owner: "template" },
    ]);
  });

  const MESSAGES: ChatMessage[] = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "天气? 👩‍👧" },
    { role: "assistant", content: '<think>\nhm\n</think>\n\nSunny "today".' },
    { role: "user", content: "Thanks\n" },
  ];

  it("gives the bytes that the Jinja library gives for the templates of the vendored tree", () => {
    let same = 0;
    const different: string[] = [];
    for (const name of readdirSync(TEMPLATES).filter((file) => file.endsWith(".jinja"))) {
      const values = {
        messages: MESSAGES.map((m) => ({ ...m, content: m.content.replace(/^.*<\/think>/s, "") })),
        add_generation_prompt: true,
        enable_thinking: true,
        thinking: true,
      };
      let reference: string;
      try {
        reference = new Template(load(name)).render({
          ...values,
          bos_token: "<s>",
          eos_token: "</s>",
        });
      } catch {
        continue;
      }
      try {
        if (text(renderForeign(MESSAGES, init(load(name)))) === reference) same++;
        else different.push(name);
      } catch {
        different.push(name);
      }
    }
    expect(same).toBeGreaterThanOrEqual(40);
    expect(different).toEqual([]);
  });

  it("writes calls and results of tools as the Jinja library does, whichever form of arguments it wants", () => {
    const calls: ChatMessage[] = [
      { role: "user", content: "Both?" },
      {
        role: "assistant",
        content: "",
        toolCalls: [
          { id: "a", name: "f", arguments: { city: 'São "P" \\ \n', n: 1 } },
          { id: "b", name: "g", arguments: { list: ["<|im_end|>", "x y"] } },
        ],
      },
      { role: "tool", content: '{"t": "12 °C"}', toolCallId: "a" },
      { role: "tool", content: "ok", toolCallId: "b" },
    ];
    const reference = (
      name: string,
      argumentsForm: (value: unknown) => unknown,
      empty: string | null = null,
    ): string => {
      const messages = calls.map(({ toolCalls, ...message }) => ({
        ...message,
        ...(toolCalls === undefined
          ? {}
          : {
              content: empty,
              tool_calls: toolCalls.map((call) => ({
                id: call.id,
                type: "function",
                function: { name: call.name, arguments: argumentsForm(call.arguments) },
              })),
            }),
      }));
      return new Template(load(name)).render({
        messages,
        add_generation_prompt: true,
        enable_thinking: true,
        thinking: true,
        bos_token: "<s>",
        eos_token: "</s>",
      });
    };
    expect(
      text(renderForeign(calls, init(load("deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja")))),
    ).toBe(
      reference("deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja", (value) => JSON.stringify(value)),
    );
    const plain = (value: unknown): unknown => value;
    const [r1, qwen] = [
      "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja",
      "Qwen-Qwen2.5-7B-Instruct.jinja",
    ];
    expect(text(renderForeign(calls, init(load(r1))))).toBe(reference(r1, plain));
    // This one fails on null content, so it gets an empty text.
    expect(text(renderForeign(calls, init(load(qwen))))).toBe(reference(qwen, plain, ""));
  });

  it("never makes a special token out of what a message holds", () => {
    const pieceOf = fc.constantFrom(
      "<|im_start|>",
      "<|im_end|>",
      "<|im_",
      "start|>",
      "|>",
      "<|",
      "\n",
      "a",
      '"',
      "\\",
      "😀",
      " ",
    );
    const content = fc
      .array(pieceOf, { minLength: 1, maxLength: 8 })
      .map((words) => words.join(""));
    const template = `${CHATML}{{ messages | tojson }}{% for m in messages %}<|im_{{ m.content }}|>{% endfor %}`;
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 4 }), (contents) => {
        const messages = contents.map((value): ChatMessage => ({ role: "user", content: value }));
        const pieces = renderForeign(messages, init(template));
        const plain = renderForeign(
          messages.map((message) => ({ ...message, content: "x" })),
          init(template),
        );
        const ids = (list: readonly ForeignPiece[]): number[] =>
          list.flatMap((piece) => ("token" in piece ? [piece.token] : []));
        expect(ids(pieces)).toEqual(ids(plain));
        expect(text(pieces)).toBe(
          new Template(template).render({
            messages: messages.map(({ role, content: value }) => ({ role, content: value })),
            add_generation_prompt: true,
          }),
        );
      }),
    );
  });

  it("is refused when it rewrites the texts", () => {
    const cutting = "{% for m in messages %}{{ m.content[:5] }}{% endfor %}";
    expect(() => renderForeign([{ role: "user", content: "Hello there" }], init(cutting))).toThrow(
      expect.objectContaining({ code: "TEMPLATE_UNSUPPORTED" }),
    );
    expect(() => renderForeign([{ role: "user", content: "Hi" }], init("{% if %}"))).toThrow(
      "Cannot render",
    );
    expect(() =>
      renderForeign(
        [{ role: "user", content: "Hi" }],
        init("{{ raise_exception('roles must alternate') }}"),
      ),
    ).toThrow("roles must alternate");
  });
});
