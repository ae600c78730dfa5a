// What the library says where users guess: values close to a right one, a path among the options, a
// URL where a file is due, and objects in a log. Runs in the test process.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { loadModel } from "../../dist/index.js";
import { quantize, splitGguf } from "../../dist/files.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

const refusal = (call: Promise<unknown>): Promise<{ code?: string; message: string }> =>
  call.then(
    () => ({ message: "no error" }),
    (error: unknown) => error as { code: string; message: string },
  );

describe("a wrong value", () => {
  it.each([
    ["cacheTypeK", "q8", '"q8_0"'],
    ["flashAttention", "autoo", '"auto"'],
    ["splitMode", "layers", '"layer"'],
  ])("of `%s` close to a right one names that one", async (option, value, near) => {
    const { code, message } = await refusal(loadModel({ [option]: value } as object));
    expect(code).toBe("INVALID_ARGUMENT");
    expect(message).toContain(`Did you mean ${near}?`);
  });

  it("of a quantisation's type close to a right one names that one", async () => {
    const { message } = await refusal(quantize("x.gguf", "y.gguf", { type: "Q4_KM" }));
    expect(message).toContain('Did you mean "Q4_K_M"?');
  });

  it.each(["path", "modelPath", "model", "file"])(
    "such as a path under `%s` is told where a path belongs",
    async (key) => {
      const { code, message } = await refusal(loadModel({ [key]: "model.gguf" } as object));
      expect(code).toBe("UNKNOWN_OPTION");
      expect(message).toContain("loadModel(path, options)");
    },
  );

  it("is a URL where a file is due, or a logger without functions", async () => {
    const url = "https://models.test/x.gguf";
    for (const call of [loadModel(url), splitGguf(url, "x"), quantize(url, "x", { type: "Q8_0" })])
      expect(await refusal(call)).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("not a URL") as string,
      });
    const logger = { level: "warn" } as object;
    expect((await refusal(loadModel({ logger }))).code).toBe("INVALID_ARGUMENT");
  });
});

describe("a log line", () => {
  it("of a generation says how to read it, and of a session how long it is", async () => {
    const model = await loadModel({ contextSize: 128 });
    const generation = model.complete("a", { maxTokens: 1 });
    expect(inspect(generation)).toContain("await generation.result()");
    await generation.result();
    expect(inspect(generation)).toContain("ended");
    expect(inspect(model.session({ system: "Be brief." }))).toContain("messages: 1");
    await model.close();
  });
});

describe("a document that the program or an error names", () => {
  it("comes with the package", () => {
    const files = (
      JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] }
    ).files;
    expect(files).toContain("docs");
    const named = new Set<string>();
    const walk = (folder: string): void => {
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        if (statSync(path).isDirectory()) walk(path);
        else
          for (const [, mentioned, addressed] of readFileSync(path, "utf8").matchAll(
            /\b(docs\/[\w/-]+\.md)\b|documentAddress\("([^"]+)"\)/g,
          ))
            named.add(mentioned ?? `docs/${addressed}`);
      }
    };
    walk(join(root, "lib"));
    expect(named.size).toBeGreaterThan(3);
    for (const document of named)
      expect(() => statSync(join(root, document)), document).not.toThrow();
  });
});
