// Inspecting: what is told of local and remote files, how little of a remote one is fetched, and
// how failures of the network are worded; runs in the test process, with an HTTP server of its own
// on this machine.
import { once } from "node:events";
import { open, rm, stat, truncate } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { inspectGguf } from "../../lib/gguf/inspect.js";
import { splitGguf } from "../../lib/gguf/split.js";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { changedModel, setPair } from "../fixtures/gguf-model.js";
import { temporaryFolder, tinyModel } from "../fixtures/gguf-temp.js";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "ok",
    (error: unknown) => (isR1Error(error) ? error.code : String(error)),
  );
}

describe("inspectGguf on local files", () => {
  it("tells what the embedded model is", async () => {
    expect(await inspectGguf(tinyModel)).toMatchObject({
      sources: [tinyModel],
      isRemote: false,
      architecture: "deepseek2",
      name: "tiny-r1",
      variant: "r1",
      attention: "mla",
      parameters: { total: 6_595_480 },
      types: [
        { type: "q8_0", tensors: 47 },
        { type: "f32", tensors: 23 },
      ],
      parts: { expected: 1, present: 1, missing: [] },
      hasChatTemplate: true,
      problems: [],
    });
  });

  it("counts the weights that work on a token: of all experts, those used", async () => {
    const { parameters, tensors } = await inspectGguf(tinyModel);
    const experts = tensors
      .filter(({ name }) => name.includes("_exps."))
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(parameters.active).toBe(parameters.total - (experts * 6) / 8);
  });

  it("tells legacy files, distills and the full model from each other", async () => {
    const folder = await temporaryFolder();
    await SHAPES["deepseek2-legacy"](join(folder, "legacy.gguf"));
    expect(await inspectGguf(join(folder, "legacy.gguf"))).toMatchObject({
      variant: "r1",
      attention: "legacy",
      problems: [],
    });
    await SHAPES["qwen-0.5b"](join(folder, "qwen.gguf"));
    expect(await inspectGguf(join(folder, "qwen.gguf"))).toMatchObject({
      variant: "distill-qwen",
      attention: "standard",
      problems: [],
    });
    const [, second = ""] = await SHAPES["r1-full-sparse"](join(folder, "r1"));
    const full = await inspectGguf(second);
    expect(full).toMatchObject({
      variant: "r1",
      attention: "mla",
      parts: { expected: 3, present: 3 },
      problems: [],
      sizeBytes: 140_355_368_768,
    });
    expect(full.parameters.total).toBe(671_026_419_200);
    expect(full.parameters.active / 1e9).toBeCloseTo(37.6, 1);
  });

  it("tells of missing and short parts, and of what loading would refuse, instead of failing", async () => {
    const folder = await temporaryFolder();
    const { paths } = await splitGguf(tinyModel, join(folder, "m"), { maxTensors: 30 });
    await rm(paths[1] ?? "");
    await truncate(paths[2] ?? "", 100_000);
    const found = await inspectGguf(paths[0] ?? "");
    expect(found.parts).toEqual({ expected: 3, present: 2, missing: [paths[1]] });
    expect(found.problems.map(({ code }) => code)).toEqual(["SHARD_MISSING", "FILE_TRUNCATED"]);
    const broken = await changedModel(join(folder, "broken.gguf"), (parts) =>
      setPair(parts, "deepseek2.expert_used_count", "u32", 0),
    );
    expect((await inspectGguf(broken)).problems).toMatchObject([{ code: "GGUF_INVALID" }]);
  });
});

describe("inspectGguf on remote files", () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  interface Site {
    readonly url: string;
    readonly served: { bytes: number; requests: number; headers: IncomingMessage["headers"][] };
  }

  /** Serves the files of a folder by ranges, or as `answer` says. */
  async function serve(
    folder: string,
    answer?: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<Site> {
    const served: Site["served"] = { bytes: 0, requests: 0, headers: [] };
    const server = createServer((request, response) => {
      served.requests++;
      served.headers.push(request.headers);
      if (answer !== undefined) {
        answer(request, response);
        return;
      }
      void sendRange(
        join(folder, decodeURIComponent(request.url ?? "")),
        request,
        response,
        served,
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closers.push(async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, served };
  }

  async function sendRange(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    served: Site["served"],
  ): Promise<void> {
    const size = await stat(path).then(
      (facts) => facts.size,
      () => -1,
    );
    if (size < 0) {
      response.writeHead(404).end();
      return;
    }
    const [, from = "0", to = ""] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
    if (Number(from) >= size) {
      response.writeHead(416, { "content-range": `bytes */${size}` }).end();
      return;
    }
    const end = Math.min(size - 1, to === "" ? size - 1 : Number(to));
    const piece = Buffer.alloc(end - Number(from) + 1);
    const file = await open(path, "r");
    await file.read(piece, 0, piece.length, Number(from));
    await file.close();
    served.bytes += piece.length;
    response
      .writeHead(206, {
        "content-range": `bytes ${from}-${end}/${size}`,
        "content-length": piece.length,
      })
      .end(piece);
  }

  it("tells the same as of the local copy", async () => {
    const site = await serve(join(tinyModel, ".."));
    const [remote, local] = await Promise.all([
      inspectGguf(`${site.url}/tiny-r1.gguf`),
      inspectGguf(tinyModel),
    ]);
    expect({ ...remote, sources: [], isRemote: false }).toEqual({ ...local, sources: [] });
    expect(remote.isRemote).toBe(true);
  });

  it("fetches a few megabytes of a split model of 140 GB", async () => {
    const folder = await temporaryFolder();
    await SHAPES["r1-full-sparse"](join(folder, "r1"));
    const site = await serve(folder);
    const found = await inspectGguf(`${site.url}/r1-00001-of-00003.gguf`);
    expect(found).toMatchObject({
      sizeBytes: 140_355_368_768,
      variant: "r1",
      parts: { expected: 3, present: 3 },
      problems: [],
    });
    expect(site.served.bytes).toBeLessThan(16e6);
  }, 600_000);

  it("sends the headers it is given, and no others of the user's", async () => {
    const site = await serve(join(tinyModel, ".."));
    await inspectGguf(`${site.url}/tiny-r1.gguf`, { headers: { authorization: "Bearer x" } });
    expect(site.served.headers.every((headers) => headers.authorization === "Bearer x")).toBe(true);
  });

  it("names missing parts", async () => {
    const folder = await temporaryFolder();
    const { paths } = await splitGguf(tinyModel, join(folder, "m"), { maxTensors: 30 });
    await rm(paths[1] ?? "");
    const site = await serve(folder);
    const found = await inspectGguf(`${site.url}/m-00001-of-00003.gguf`);
    expect(found.parts.missing).toEqual([`${site.url}/m-00002-of-00003.gguf`]);
  });

  it.each([
    [
      "a file that is not there",
      (_: IncomingMessage, response: ServerResponse) => void response.writeHead(404).end(),
      "FILE_NOT_FOUND",
    ],
    [
      "a gated repository",
      (_: IncomingMessage, response: ServerResponse) => void response.writeHead(401).end(),
      "FILE_UNREADABLE",
    ],
    [
      "a server in trouble",
      (_: IncomingMessage, response: ServerResponse) => void response.writeHead(503).end(),
      "NETWORK_FAILED",
    ],
    [
      "a web page",
      (_: IncomingMessage, response: ServerResponse) =>
        void response.writeHead(206, { "content-range": "bytes 0-11/12" }).end("<!DOCTYPE ht"),
      "NOT_GGUF",
    ],
    [
      "a connection that breaks",
      (request: IncomingMessage) => void request.socket.destroy(),
      "NETWORK_FAILED",
    ],
    [
      "a server without ranges that would send everything",
      (_: IncomingMessage, response: ServerResponse) =>
        void response.writeHead(200, { "content-length": 140e9 }).write("GGUF"),
      "NETWORK_FAILED",
    ],
    [
      "zeros behind the magic without end",
      (request: IncomingMessage, response: ServerResponse) => {
        const [, from = "0", to = "0"] =
          /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
        const piece = Buffer.alloc(Number(to) - Number(from) + 1);
        if (from === "0")
          Buffer.from(
            "4747554603000000ffffff000000000001000000000000000300000000000000",
            "hex",
          ).copy(piece);
        response.writeHead(206, { "content-range": `bytes ${from}-${to}/140000000000` }).end(piece);
      },
      "GGUF_INVALID",
    ],
  ])("%s is a typed error", async (_, answer, code) => {
    const site = await serve("", answer);
    expect(await codeOf(inspectGguf(`${site.url}/x.gguf`))).toBe(code);
  });

  it("a server that is not there is NETWORK_FAILED, with the address, without its query, and with what to do", async () => {
    const site = await serve("");
    for (const close of closers.splice(0)) await close();
    const failure = await inspectGguf(`${site.url}/x.gguf?signature=secret`).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      name: "R1Error",
      code: "NETWORK_FAILED",
      details: { path: `${site.url}/x.gguf` },
    });
    expect((failure as Error).message).toMatch(
      /^The connection to http:\/\/127\.0\.0\.1:\d+\/x\.gguf failed: the connection was refused\. Check the address, /,
    );
  });

  it("what a fetch of the user's throws is a failed connection too, never a fault of the file", async () => {
    const fetch = (): Promise<never> => Promise.reject(new Error("no way out"));
    const failure = await inspectGguf("http://host/x.gguf", { fetch }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: "NETWORK_FAILED",
      message: expect.stringContaining("no way out") as string,
    });
  });

  it("an address that is none is INVALID_ARGUMENT", async () => {
    await expect(inspectGguf("http://[x/y.gguf")).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      details: { option: "source" },
    });
  });

  it("stops when its signal aborts", async () => {
    const site = await serve("", () => undefined);
    const controller = new AbortController();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 50);
    await expect(inspectGguf(`${site.url}/x.gguf`, { signal: controller.signal })).rejects.toBe(
      reason,
    );
  });
});
