// vLLM's example batch file runs as it is, and its output is what OpenAI's batch results are.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ChatCompletion } from "openai/resources/chat/completions";
import { expect, it } from "vitest";
import { run, tinyModel } from "../cli/program.js";
import { withFolder } from "../fixtures/tiny.js";

/** The lines that vLLM's documentation gives to its batch runner. */
const EXAMPLE = ["helpful", "unhelpful"].map(
  (kind, i) =>
    `{"custom_id": "request-${i + 1}", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "meta-llama/Meta-Llama-3-8B-Instruct", "messages": [{"role": "system", "content": "You are a ${kind === "helpful" ? "" : "un"}helpful assistant."}, {"role": "user", "content": "Hello world!"}], "max_completion_tokens": 1000}}`,
);

interface Line {
  readonly id: string;
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly request_id: string;
    readonly body: ChatCompletion;
  };
  readonly error: null;
}

it("runs vLLM's example batch file unchanged, and writes chat completions as OpenAI types them", async () => {
  await withFolder(async (folder) => {
    const [input, output] = [join(folder, "openai_example_batch.jsonl"), join(folder, "out.jsonl")];
    writeFileSync(input, `${EXAMPLE.join("\n")}\n`);
    const flags = ["--format", "openai", "-m", tinyModel, "-t", "1", "-c", "8192"];
    const { code, stderr } = await run(["batch", input, output, ...flags]);
    expect(code, stderr).toBe(0);
    const lines = readFileSync(output, "utf8")
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text) as Line);
    expect(lines.map(({ custom_id }) => custom_id).sort()).toEqual(["request-1", "request-2"]);
    for (const { id, response, error } of lines) {
      expect(id).toMatch(/^batch_req_/);
      expect(error).toBeNull();
      expect(response.status_code).toBe(200);
      const { body } = response;
      expect(body.object).toBe("chat.completion");
      expect(Number.isInteger(body.created)).toBe(true);
      const [choice] = body.choices;
      expect(choice?.message.role).toBe("assistant");
      expect(typeof choice?.message.content).toBe("string");
      expect(["stop", "length"]).toContain(choice?.finish_reason);
      const { usage } = body;
      expect(usage?.total_tokens).toBe(
        (usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0),
      );
      expect(usage?.completion_tokens).toBeLessThanOrEqual(1000);
    }
  });
});
