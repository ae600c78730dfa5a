// What an input may hold: OpenAI's lines, plain rows, tables; and how what is wrong is told.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteFile } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { Ledger } from "../../lib/batch/ledger.js";
import { lookThrough } from "../../lib/batch/look-through.js";
import { parseRow, type ReadOptions } from "../../lib/batch/parse-row.js";
import { readRows } from "../../lib/batch/read-rows.js";
import type { BatchRow } from "../../lib/batch/row.js";
import { withFolder } from "../fixtures/tiny.js";

const plain: ReadOptions = { raw: false };

async function rowsOf(
  name: string,
  content: string | Buffer,
  read: ReadOptions = plain,
): Promise<BatchRow[]> {
  return withFolder(async (folder) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    const rows: BatchRow[] = [];
    for await (const group of readRows(path, read))
      for (const { row, fault } of group) {
        if (fault !== undefined) throw new Error(`${fault.line}: ${fault.message}`);
        rows.push(row);
      }
    return rows;
  });
}

const faultsOf = (content: string | Buffer): Promise<string> =>
  withFolder(async (folder) => {
    const path = join(folder, "in.jsonl");
    writeFileSync(path, content);
    const look = lookThrough(path, plain, new Ledger(), { samples: 1, shard: undefined });
    return look.then(
      () => "",
      (error: unknown) => (error as Error).message,
    );
  });

describe("OpenAI's batch lines", () => {
  // The form that vLLM documents for its batch runner.
  const vllm = [
    '{"custom_id": "request-1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "meta-llama/Meta-Llama-3-8B-Instruct", "messages": [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": "Hello world!"}], "max_completion_tokens": 1000}}',
    '{"custom_id": "request-2", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "meta-llama/Meta-Llama-3-8B-Instruct", "messages": [{"role": "system", "content": "You are an unhelpful assistant."}, {"role": "user", "content": "Hello world!"}], "max_completion_tokens": 1000}}',
  ].join("\n");

  it("are read as they are, vLLM's example included", async () => {
    const rows = await rowsOf("in.jsonl", vllm);
    expect(rows.map(({ id }) => id)).toEqual(["request-1", "request-2"]);
    expect(rows[0]).toMatchObject({
      ask: { kind: "chat", messages: [{ role: "system" }, { role: "user" }] },
      options: { maxTokens: 1000 },
    });
  });

  it("have their options in our words", () => {
    const body = {
      messages: [{ role: "user", content: "hi" }],
      temperature: 0.2,
      top_p: null,
      n: 3,
      seed: 5,
      stop: ["x"],
      reasoning_effort: "low",
      response_format: {
        type: "json_schema",
        json_schema: { name: "a", schema: { type: "object" } },
      },
    };
    const row = parseRow({ custom_id: "a", url: "/v1/chat/completions", body }, 1, plain);
    expect(row).toMatchObject({
      samples: 3,
      seed: 5,
      options: {
        temperature: 0.2,
        stop: ["x"],
        reasoning: { effort: "low" },
        response: { schema: { type: "object" } },
      },
    });
    expect("topP" in row.options).toBe(false);
  });

  it.each([
    [{ custom_id: "a", url: "/v1/embeddings", body: {} }, /url/],
    [{ custom_id: 7, body: { messages: [] } }, /custom_id/],
    [{ custom_id: "a", method: "GET", body: { messages: [] } }, /method/],
    [
      { custom_id: "a", body: { messages: [{ role: "user", content: "x" }], stream: true } },
      /stream/,
    ],
    [{ custom_id: "a", body: { messages: [{ role: "user", content: "x" }], top_pp: 1 } }, /top_p/],
    [{ custom_id: "a", body: { messages: [{ role: "user" }] } }, /messages/],
    [
      { custom_id: "a", body: { messages: [{ role: "user", content: "x" }], temperature: "1" } },
      /temperature/,
    ],
    [{ custom_id: "a", body: { messages: [{ role: "user", content: "x" }] }, extra: 1 }, /extra/],
  ])("are refused where they are wrong: %j", (line, message) => {
    expect(() => parseRow(line, 1, plain)).toThrow(message);
  });
});

describe("plain rows", () => {
  it("have an id, or one of their content, whatever the order of keys and the line", () => {
    const one = parseRow({ prompt: "p", temperature: 1 }, 1, plain);
    const other = parseRow({ temperature: 1, prompt: "p" }, 99, plain);
    expect(one.id).toBe(other.id);
    expect(one.id).not.toBe(parseRow({ prompt: "q", temperature: 1 }, 1, plain).id);
  });

  it("are refused with unknown options, numbers as ids and without a question", () => {
    expect(() => parseRow({ prompt: "p", temprature: 1 }, 1, plain)).toThrow(/temperature/);
    expect(() => parseRow({ prompt: "p", id: 2 ** 70 }, 1, plain)).toThrow(/a string/);
    expect(() => parseRow({ question: "p" }, 1, plain)).toThrow(/--map/);
    expect(() => parseRow({ prompt: "p", messages: [] }, 1, plain)).toThrow(/one of them/);
    expect(() => parseRow({ prompt: "half \ud800" }, 1, plain)).toThrow(/half a character/);
    expect(() => parseRow(JSON.parse('{"prompt":"p","__proto__":{"x":1}}'), 1, plain)).toThrow();
  });

  it("with a map take the question from any column and carry the others through", async () => {
    const read = { raw: false, map: { prompt: "problem", id: "idx" } };
    const [row] = await rowsOf("in.jsonl", '{"problem":"1+1","idx":7,"solution":"2"}\n', read);
    expect(row).toMatchObject({
      id: "7",
      ask: { kind: "chat", messages: [{ role: "user", content: "1+1" }] },
      columns: { solution: "2" },
    });
  });
});

describe("a file", () => {
  it("may have a BOM, CRLF, blank lines, U+2028 and no line break at its end", async () => {
    const text = '\uFEFF{"id":"a","prompt":"x"}\r\n\r\n  \n{"id":"b","prompt":"y\u2028z"}';
    const rows = await rowsOf("in.jsonl", text);
    expect(rows.map(({ id, line }) => [id, line])).toEqual([
      ["a", 1],
      ["b", 4],
    ]);
  });

  it("of CSV and of Parquet gives the same rows as JSONL", async () => {
    const csv = 'id,prompt,level\na,"1+1, or\n2?",easy\nb,2+2,"hard ""one"""\n';
    const rows = await rowsOf("in.csv", csv);
    expect(rows.map(({ id, columns }) => [id, columns?.["level"]])).toEqual([
      ["a", "easy"],
      ["b", 'hard "one"'],
    ]);
    await withFolder(async (folder) => {
      const path = join(folder, "in.parquet");
      parquetWriteFile({
        filename: path,
        columnData: [
          { name: "problem", data: ["1+1", "2+2"], type: "STRING" },
          { name: "idx", data: [1n, 2n], type: "INT64" },
        ],
      });
      const ids: string[] = [];
      for await (const group of readRows(path, {
        raw: false,
        map: { prompt: "problem", id: "idx" },
      }))
        for (const { row } of group) ids.push(row?.id ?? "");
      expect(ids).toEqual(["1", "2"]);
    });
    await expect(rowsOf("in.csv", "a,b\n1,2\n")).rejects.toMatchObject({ code: "INPUT_INVALID" });
    await expect(rowsOf("in.csv", 'prompt\n"open\n')).rejects.toMatchObject({
      code: "INPUT_INVALID",
    });
    await expect(rowsOf("in.parquet", "nothing")).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });

  it("that is wrong is told with the first 20 lines and the count of all", async () => {
    const good = '{"id":"a","prompt":"x"}\n';
    const text = await faultsOf(`${good}{bad\n${good}${"[1]\n".repeat(40)}`);
    expect(text).toContain("42 wrong rows");
    expect(text).toContain("line 2: is not JSON");
    expect(text).toContain('line 3: the id "a" is that of line 1 as well');
    expect(text.match(/ {2}line /g)).toHaveLength(20);
    expect(text).toContain("and 22 more");
    expect(await faultsOf(Buffer.from([0x7b, 0xff, 0x7d, 0x0a]))).toContain("is not UTF-8");
    const deep = `{"id":"a","prompt":"x","metadata":${"[".repeat(200_000)}${"]".repeat(200_000)}}\n`;
    expect(await faultsOf(deep)).toContain("line 1");
  });
});

describe("a ledger", () => {
  it("knows samples of ids after it has grown many times", () => {
    const ledger = new Ledger();
    for (let i = 0; i < 20_000; i++) {
      expect(ledger.addRow(`row ${i}`, i)).toBeUndefined();
      if (i % 2 === 0) expect(ledger.addSample(`row ${i}`, i % 64, i % 4 === 0)).toBe(true);
    }
    expect(ledger.size).toBe(20_000);
    expect(ledger.addRow("row 7", 99)).toBe(7);
    expect(ledger.addSample("row 40", 40, true)).toBe(false);
    for (let i = 0; i < 20_000; i++) {
      expect(ledger.isDone(`row ${i}`, i % 64)).toBe(i % 2 === 0);
      expect(ledger.isDone(`row ${i}`, (i + 1) % 64)).toBe(false);
    }
    expect(ledger.entry("row 40")).toMatchObject({ done: 1, passed: 1 });
    expect(ledger.entry("nobody")).toEqual({ line: 0, done: 0, passed: 0 });
  });
});

describe("an input", () => {
  it("may be compressed by gzip, also in several members, and one that is cut is refused", async () => {
    const packed = gzipSync('{"id":"a","prompt":"x"}\n{"id":"b",');
    const more = gzipSync('"prompt":"y"}\n');
    const rows = await rowsOf("in.jsonl.gz", Buffer.concat([packed, more]));
    expect(rows.map(({ id, line }) => [id, line])).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    const [row] = await rowsOf("in.csv.gz", gzipSync("prompt,level\n1+1?,easy\n"));
    expect(row).toMatchObject({ columns: { level: "easy" } });
    const cut = rowsOf("in.jsonl.gz", packed.subarray(0, -9));
    await expect(cut).rejects.toMatchObject({ code: "INPUT_INVALID" });
    const plainText = rowsOf("in.jsonl.gz", '{"prompt":"x"}');
    await expect(plainText).rejects.toThrow(/cannot be decompressed/);
  });

  it("that is a pipe or of another compression is refused before it is read", async () => {
    await withFolder(async (folder) => {
      const pipe = join(folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      for (const path of [pipe, "-", join(folder, "in.jsonl.zst")])
        await expect(
          lookThrough(path, plain, new Ledger(), { samples: 1, shard: undefined }),
        ).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    });
  });
});
