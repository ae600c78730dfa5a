// Claims about the bounds of a file's own template: hostile ones end soon, in little memory and in
// words; ordinary ones come out as the library renders them.
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { Template } from "@huggingface/jinja";
import { describe, expect, it } from "vitest";
import { renderJinja } from "../../lib/template/jinja.js";
import { HOSTILE_TEMPLATES } from "../fixtures/hostile-templates.js";

const TEMPLATES = new URL("../../vendor/llama.cpp/models/templates/", import.meta.url);
const names = readdirSync(TEMPLATES).filter((name) => name.endsWith(".jinja"));

const TURNS = [
  { role: "user", content: "Hi there" },
  { role: "assistant", content: "Hello" },
  { role: "user", content: "What is 1+1?" },
];
const TOOL = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Tells the weather of a place.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

describe("a file's own template", () => {
  it("comes out as the library renders it, whatever the collection of llama.cpp holds", () => {
    expect(names.length).toBeGreaterThan(40);
    for (const name of names) {
      const source = readFileSync(new URL(name, TEMPLATES), "utf8");
      if (source.includes("strftime_now")) continue; // another second, another text
      for (const more of [{}, { tools: [TOOL] }]) {
        const values = {
          messages: TURNS,
          add_generation_prompt: true,
          bos_token: "<s>",
          eos_token: "</s>",
          ...more,
        };
        let expected: string | undefined;
        try {
          expected = new Template(source).render(values);
        } catch {
          // It refuses this conversation.
        }
        if (expected === undefined)
          expect(() => renderJinja(source, values), name).toThrow(
            expect.objectContaining({ code: "TEMPLATE_UNSUPPORTED" }),
          );
        else expect(renderJinja(source, values), name).toBe(expected);
      }
    }
  });

  it("declares what the library declares", () => {
    const source =
      "{{ true }}{{ True }}{{ false }}{{ False }}{{ none is none }}{{ None is none }}{{ range(3) }}{{ range(1, 7, 2) }}{{ range(5, 1, -2) }}{{ range(0) }}{{ strftime_now('%Y') }}";
    expect(renderJinja(source, {})).toBe(new Template(source).render({}));
    expect(() => renderJinja("{{ raise_exception('mine') }}", {})).toThrow(/mine/);
  });

  it("of two hundred turns is rendered, also where it looks through all turns for each", () => {
    const messages = Array.from({ length: 151 }, (_, i) => ({
      role: i % 2 === 0 ? "user" : "assistant",
      content: `turn ${i}`,
    }));
    const quadratic =
      "{% for m in messages %}{% set ns = namespace(n=0) %}{% for o in messages %}{% if o.role == 'user' %}{% set ns.n = ns.n + 1 %}{% endif %}{% endfor %}{{ m.content }}{% endfor %}";
    expect(renderJinja(quadratic, { messages })).toContain("turn 150");
  });

  it.each(Object.entries(HOSTILE_TEMPLATES))("that is hostile ends soon: %s", (_, source) => {
    const start = performance.now();
    try {
      renderJinja(source, { messages: TURNS.slice(0, 1), add_generation_prompt: true });
    } catch (error) {
      expect(error).toMatchObject({ name: "R1Error", code: "TEMPLATE_UNSUPPORTED" });
    }
    // Seen: 20 ms; a busy machine multiplies it.
    expect(performance.now() - start).toBeLessThan(1500);
  });

  it("that is hostile takes little memory", () => {
    const dist = new URL("../../dist/template/jinja.js", import.meta.url).href;
    const code = `import { renderJinja } from ${JSON.stringify(dist)};
      for (const source of ${JSON.stringify(Object.values(HOSTILE_TEMPLATES))})
        try { renderJinja(source, { messages: [{ role: "user", content: "Hi" }] }); } catch (error) { if (error.code !== "TEMPLATE_UNSUPPORTED") throw error; }
      console.log("done");`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--max-old-space-size=48", "--input-type=module", "-"],
      { encoding: "utf8", timeout: 60_000, input: code },
    );
    expect(stdout, stderr).toBe("done\n");
  });
});
