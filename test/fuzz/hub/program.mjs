// Tries one set of answers after the other: a Hub of two hosts on this machine whose answers are
// changed at random, and a download or a remote inspection from it.
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isR1Error } from "../../../dist/index.js";
import { inspectGguf } from "../../../dist/files.js";
import { downloadModel } from "../../../dist/hub.js";
import { outcomeOf } from "../child.mjs";
import { randomOf } from "../random.mjs";
import { alteredHeaders, alteredJson, locations, NOT_HTTP, STATUSES } from "./answers.mjs";

const TOKEN = "hf_secretsecretsecret";
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const NAME = "model-Q4_K_M.gguf";
const FILE = readFileSync(new URL("../../../models/tiny-r1.gguf", import.meta.url)).subarray(
  0,
  200_000,
);
const oid = createHash("sha256").update(FILE).digest("hex");
/** Longest wait for one answer; an attempt has several. Unit: milliseconds. */
const TIMEOUT_MS = 300;
/** A remote inspection waits 30 s for a range, and this for two. Unit: milliseconds. */
const LIMIT_MS = 65_000;

export async function prepare(seed) {
  const folder = mkdtempSync(join(tmpdir(), "r1-hub-fuzz-"));
  const leaked = [];
  let change;
  let origins;

  const send = (response, status, headers, body) => {
    const changed = change?.({ status, headers, body });
    if (changed === undefined) return response.writeHead(status, headers).end(body);
    if (changed.raw !== undefined) {
      response.socket.end(changed.raw, "latin1");
      return undefined;
    }
    try {
      for (const [name, value] of Object.entries(changed.headers)) response.setHeader(name, value);
      response.strictContentLength = false;
      response.writeHead(changed.status);
    } catch {
      // No server can send that.
      response.socket.destroy();
      return undefined;
    }
    response.write(changed.body);
    if (changed.stalls) return undefined;
    if (changed.cuts) return setImmediate(() => response.socket?.destroySoon());
    return response.end();
  };
  const json = (response, value) => {
    const body = JSON.stringify(value);
    send(response, 200, { "content-type": "application/json", etag: '"a"' }, body);
  };
  const bytes = (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    if (from === undefined)
      return send(response, 200, { "content-length": FILE.length, etag: `"${oid}"` }, FILE);
    const body = FILE.subarray(Number(from), to === "" ? undefined : Number(to) + 1);
    const range = `bytes ${from}-${Number(from) + body.length - 1}/${FILE.length}`;
    const headers = { "content-range": range, "content-length": body.length, etag: `"${oid}"` };
    return send(response, 206, headers, body);
  };
  const hub = createServer((request, response) => {
    const path = decodeURIComponent(request.url.split("?")[0]);
    if (path.includes("/revision/"))
      return json(response, { _id: "1", id: "owner/model", sha: COMMIT });
    if (path.includes("/tree/"))
      return json(response, [
        {
          type: "file",
          path: NAME,
          size: FILE.length,
          oid: "1".repeat(40),
          lfs: { oid, size: FILE.length, pointerSize: 130 },
        },
        { type: "file", path: "README.md", size: 3, oid: "2".repeat(40) },
      ]);
    if (path.includes("/resolve/"))
      return send(response, 302, { location: `${origins.other}/file` }, "");
    return bytes(request, response);
  });
  const other = createServer((request, response) => {
    if (JSON.stringify(request.headers).includes(TOKEN)) leaked.push(request.url);
    bytes(request, response);
  });
  for (const server of [hub, other]) {
    server.on("clientError", (_, socket) => socket.destroy());
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
  }
  origins = {
    self: `http://127.0.0.1:${hub.address().port}`,
    other: `http://localhost:${other.address().port}`,
  };

  /** What becomes of the answers to one attempt: the first ones are changed, then all are right. */
  const changes = (random) => {
    let rest = random.pick([1, 1, 2, 3, 50]);
    const share = random.pick([1, 2, 4]);
    return (right) => {
      if (rest === 0 || !random.oneIn(share)) return undefined;
      rest -= 1;
      const made = { ...right, stalls: false, cuts: false };
      const { body } = right;
      switch (random.below(8)) {
        case 0:
          return { raw: random.pick(NOT_HTTP) };
        case 1:
          return {
            ...made,
            status: random.pick(STATUSES),
            headers: alteredHeaders({}, random),
            body: "",
          };
        case 2: {
          const location = random.pick(locations(origins.self, origins.other));
          return {
            ...made,
            status: random.pick([301, 302, 303, 307, 308]),
            headers: { location },
            body: "",
          };
        }
        case 3:
          return { ...made, headers: alteredHeaders(right.headers, random) };
        case 4: {
          const cut = random.below(body.length + 1);
          return { ...made, body: body.slice(0, cut), cuts: true };
        }
        case 5:
          return random.oneIn(6)
            ? { ...made, body: body.slice(0, random.below(body.length + 1)), stalls: true }
            : undefined;
        default: {
          if (typeof body === "string" && /^[[{]/.test(body)) {
            const altered = random.oneIn(8)
              ? "{".repeat(random.pick([1, 50_000]))
              : JSON.stringify(alteredJson(JSON.parse(body), random));
            return { ...made, headers: { "content-type": "application/json" }, body: altered };
          }
          const flipped = Buffer.from(body);
          if (flipped.length > 0) flipped[random.below(flipped.length)] ^= 1 << random.below(8);
          return { ...made, body: flipped };
        }
      }
    };
  };

  const attempt = async (number) => {
    const random = randomOf(seed, number);
    change = changes(random);
    const dir = join(folder, `${number}`);
    const late = AbortSignal.timeout(LIMIT_MS);
    try {
      if (random.oneIn(4)) {
        await inspectGguf(`${origins.self}/file.gguf`, { signal: late });
        return { kind: "inspected" };
      }
      const { modelPath } = await downloadModel("owner/model", {
        endpoint: origins.self,
        token: TOKEN,
        dir,
        chunkBytes: 65_536,
        retries: 2,
        retryDelayMs: 1,
        timeoutMs: TIMEOUT_MS,
        proxy: false,
        allowPatterns: "*.gguf",
        signal: late,
      });
      // An altered listing may leave the file out; then there is none to compare.
      if (modelPath === undefined) return { kind: "no file" };
      const isRight = modelPath.startsWith(`${dir}/`) && FILE.equals(readFileSync(modelPath));
      return isRight
        ? { kind: "downloaded" }
        : { kind: "wrong", wrong: `${modelPath} holds other bytes than the listing says` };
    } catch (error) {
      if (late.aborted) return { kind: "late", wrong: `no end within ${LIMIT_MS} ms` };
      return outcomeOf(error, isR1Error);
    } finally {
      change = undefined;
      for (const server of [hub, other]) server.closeAllConnections();
      rmSync(dir, { recursive: true, force: true });
    }
  };

  const finish = async () => {
    const wrong = leaked.map((url) => `the token was shown to another host at ${url}`);
    for (const server of [hub, other]) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
    rmSync(folder, { recursive: true, force: true });
    await new Promise((done) => setTimeout(done, 500));
    const open = process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
    if (open > 60) wrong.push(`${open} descriptors are open at the end`);
    return wrong;
  };
  return { attempt, finish };
}
