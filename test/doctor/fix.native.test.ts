// Corrected copies: what is wrong is put right, all else stays byte for byte, the input is never
// written over, and nothing is left after an abort.
import { link, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel } from "../../lib/model/load-model.js";
import { fixGguf } from "../../lib/doctor/fix.js";
import { diagnose } from "../../lib/doctor/doctor.js";
import { splitGguf } from "../../lib/gguf/split.js";
import { readGguf } from "../../scripts/gguf-writer.mjs";
import { changedModel, setPair } from "../fixtures/gguf-model.js";
import { temporaryFolder, tinyModel } from "../fixtures/gguf-temp.js";

/** The embedded model with everything wrong that can be corrected. */
async function spoilt(path: string): Promise<string> {
  const { pairs } = await readGguf(tinyModel);
  const types = pairs.get("tokenizer.ggml.token_type")?.data ?? Buffer.alloc(0);
  const values = Array.from({ length: 768 }, (_, i) =>
    i === 3 || i === 6 ? 1 : types.readInt32LE(i * 4),
  );
  return changedModel(path, (parts) => {
    setPair(parts, "tokenizer.ggml.padding_token_id", "u32", 1);
    setPair(parts, "tokenizer.ggml.bos_token_id", "u32", 20);
    setPair(parts, "tokenizer.ggml.add_bos_token", "bool", false);
    setPair(parts, "tokenizer.ggml.pre", "str", "qwen2");
    setPair(parts, "tokenizer.ggml.token_type", "arr", { of: "i32", values });
    parts.pairs.delete("tokenizer.ggml.eos_token_id");
    parts.pairs.delete("deepseek2.expert_gating_func");
    setPair(parts, "custom.key", "str", "kept");
  });
}

const spoiltIds = [
  "add-bos",
  "bos-id",
  "eos-id",
  "gating-missing",
  "padding-is-eos",
  "pre-tokenizer",
  "token-types",
];

describe("fixGguf", () => {
  it("writes a copy with everything put right, which loads and answers as the sound file does", async () => {
    const folder = await temporaryFolder();
    const [bad, out] = [await spoilt(join(folder, "bad.gguf")), join(folder, "good.gguf")];
    const before = await diagnose(bad);
    const wrong = before.findings.filter(({ changes }) => changes.length > 0);
    expect(wrong.map(({ id }) => id).sort()).toEqual(spoiltIds);
    const input = await readFile(bad);
    const progress: number[] = [];
    const { path, bytes, changes } = await fixGguf(bad, out, {
      onProgress: (share) => progress.push(share),
    });
    expect(path).toBe(out);
    expect((await stat(out)).size).toBe(bytes);
    expect(changes).toEqual(before.findings.flatMap((finding) => finding.changes));
    expect(progress.at(-1)).toBe(1);
    // The input is as it was.
    expect((await readFile(bad)).equals(input)).toBe(true);

    const after = await diagnose(out);
    expect(after.findings.filter(({ severity }) => severity !== "info")).toEqual([]);
    expect({ ...after, sources: [] }).toEqual({ ...(await diagnose(tinyModel)), sources: [] });
    // Every pair is the sound file's, but for the one that only this file has; every tensor has the
    // same bytes.
    const [sound, fixed] = [await readGguf(tinyModel), await readGguf(out)];
    expect([...fixed.pairs.keys()].filter((key) => !sound.pairs.has(key))).toEqual(["custom.key"]);
    for (const [key, { raw }] of sound.pairs)
      expect(fixed.pairs.get(key)?.raw.equals(raw), key).toBe(true);
    expect(fixed.tensors.map(({ name, type, shape }) => ({ name, type, shape }))).toEqual(
      sound.tensors.map(({ name, type, shape }) => ({ name, type, shape })),
    );
    for (const [i, { data, name }] of sound.tensors.entries())
      expect(fixed.tensors[i]?.data.equals(data), name).toBe(true);

    const answers = [];
    for (const file of [tinyModel, out]) {
      const model = await loadModel(file, { threads: 1, contextSize: 512 });
      answers.push(
        (
          await model
            .chat([{ role: "user", content: "What is 12+30?" }], { temperature: 0, maxTokens: 200 })
            .result()
        ).tokens,
      );
      await model.close();
    }
    expect(answers[1]).toEqual(answers[0]);
  });

  it("gives a file without gating the sound file's probabilities back, to the last bit", async () => {
    const folder = await temporaryFolder();
    const bad = await changedModel(join(folder, "bad.gguf"), (parts) =>
      parts.pairs.delete("deepseek2.expert_gating_func"),
    );
    await fixGguf(bad, join(folder, "good.gguf"));
    const probabilities = async (file: string): Promise<number[]> => {
      const model = await loadModel(file, { threads: 1, contextSize: 512 });
      const { logprobs } = await model
        .chat([{ role: "user", content: "What is 12+30?" }], {
          temperature: 0,
          maxTokens: 20,
          logprobs: 1,
        })
        .result();
      await model.close();
      return (logprobs ?? []).map(({ logprob }) => logprob);
    };
    const sound = await probabilities(tinyModel);
    expect(sound).toHaveLength(20);
    expect(await probabilities(bad)).not.toEqual(sound);
    expect(await probabilities(join(folder, "good.gguf"))).toEqual(sound);
  });

  it("makes one file of a split model", async () => {
    const folder = await temporaryFolder();
    const bad = await spoilt(join(folder, "bad.gguf"));
    const { paths } = await splitGguf(bad, join(folder, "m"), { maxTensors: 30 });
    const [whole, joined] = [join(folder, "whole.gguf"), join(folder, "joined.gguf")];
    await fixGguf(bad, whole);
    await fixGguf(paths[0] ?? "", joined);
    expect((await readFile(joined)).equals(await readFile(whole))).toBe(true);
  });

  it("writes nothing when there is nothing to correct", async () => {
    const folder = await temporaryFolder();
    expect(await fixGguf(tinyModel, join(folder, "copy.gguf"))).toEqual({
      path: null,
      bytes: 0,
      changes: [],
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it("never writes over its input, by whatever name, not even when forced", async () => {
    const folder = await temporaryFolder();
    const bad = await spoilt(join(folder, "bad.gguf"));
    await symlink(bad, join(folder, "soft.gguf"));
    await link(bad, join(folder, "hard.gguf"));
    const input = await readFile(bad);
    for (const out of [
      bad,
      join(folder, ".", "bad.gguf"),
      join(folder, "soft.gguf"),
      join(folder, "hard.gguf"),
    ]) {
      await expect(fixGguf(bad, out, { force: true }), out).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    }
    expect((await readFile(bad)).equals(input)).toBe(true);
  });

  it("refuses an existing file unless forced, URLs, and broken models", async () => {
    const folder = await temporaryFolder();
    const bad = await spoilt(join(folder, "bad.gguf"));
    const out = join(folder, "out.gguf");
    await writeFile(out, "precious");
    await expect(fixGguf(bad, out)).rejects.toMatchObject({ code: "FILE_EXISTS" });
    expect(await readFile(out, "utf8")).toBe("precious");
    await fixGguf(bad, out, { force: true });
    expect((await diagnose(out)).variant).toBe("r1");
    await expect(fixGguf("https://localhost/x.gguf", out)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    const short = join(folder, "short.gguf");
    await writeFile(short, (await readFile(bad)).subarray(0, 1_000_000));
    await expect(fixGguf(short, join(folder, "x.gguf"))).rejects.toMatchObject({
      code: "FILE_TRUNCATED",
    });
    // @ts-expect-error a misspelt option
    await expect(fixGguf(bad, out, { overwrite: true })).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
  });

  it("leaves nothing behind when it is aborted", async () => {
    const folder = await temporaryFolder();
    const bad = await spoilt(join(folder, "bad.gguf"));
    const controller = new AbortController();
    const reason = new Error("enough");
    const run = fixGguf(bad, join(folder, "out.gguf"), {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(run).rejects.toBe(reason);
    expect(await readdir(folder)).toEqual(["bad.gguf"]);
  });
});

describe("diagnose on a remote file", () => {
  it("takes a small one whole from a server that offers no ranges", async () => {
    const bad = await readFile(await spoilt(join(await temporaryFolder(), "bad.gguf")));
    let requests = 0;
    const server = createServer((_request, response) => {
      requests++;
      response.writeHead(200, { "content-length": bad.length }).end(bad);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { findings } = await diagnose(
        `http://127.0.0.1:${(server.address() as AddressInfo).port}/bad.gguf`,
      );
      expect(findings.filter(({ changes }) => changes.length > 0).map(({ id }) => id)).toEqual(
        expect.arrayContaining(spoiltIds),
      );
      expect(requests).toBe(1);
    } finally {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  });

  it("finds the same as in the local copy, from its header alone", async () => {
    const bad = await readFile(await spoilt(join(await temporaryFolder(), "bad.gguf")));
    let served = 0;
    const server = createServer((request, response) => {
      const [, from = "0", to = ""] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
      const piece = bad.subarray(Number(from), to === "" ? undefined : Number(to) + 1);
      served += piece.length;
      response
        .writeHead(206, {
          "content-range": `bytes ${from}-${Number(from) + piece.length - 1}/${bad.length}`,
          "content-length": piece.length,
        })
        .end(piece);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const found = await diagnose(
        `http://127.0.0.1:${(server.address() as AddressInfo).port}/bad.gguf`,
      );
      expect(found.isRemote).toBe(true);
      expect(
        found.findings
          .filter(({ changes }) => changes.length > 0)
          .map(({ id }) => id)
          .sort(),
      ).toEqual(spoiltIds);
      expect(served).toBeLessThan(bad.length);
    } finally {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  });
});
