// A Hub on this machine: listing, redirects to a second host, ranges, and every way to fail that a
// test asks for. Runs in the test process.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What is done to the answer to one request for a file's bytes. */
export type Fault =
  | { kind: "cut"; after: number }
  | { kind: "status"; status: number; headers?: Record<string, string> }
  | { kind: "flip"; at: number }
  | { kind: "stall"; after: number }
  | { kind: "total"; total: number }
  | { kind: "shift" }
  | { kind: "long" }
  | { kind: "short"; by: number }
  | { kind: "whole" }
  /**
   * Once the Hub has sent `crawlAfter` bytes in all, one byte a tick: the download goes on, and is
   * not done before a test is.
   */
  | { kind: "slow"; bytesPerTick: number; tickMs: number; crawlAfter?: number };

/** A request for bytes of a file. */
export interface Asked {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** Requests for bytes so far, this one included. */
  readonly count: number;
}

export type Files = Record<string, Buffer>;

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const gitSha1 = (bytes: Buffer): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

/** Files as large as this or larger are LFS files. */
const LFS_BYTES = 4096;

/** A Hub with one repository, owner/model. */
export class FakeHub {
  readonly repo = "owner/model";
  /** Commits by their hash. */
  readonly commits = new Map<string, Files>();
  readonly branches = new Map<string, string>();
  /** The token that is asked for; undefined: anyone may read. */
  token: string | undefined;
  /** Answers to requests of the API, before anything else. */
  apiFault:
    | ((
        url: string,
        count: number,
      ) => { status: number; headers?: Record<string, string>; body?: string } | undefined)
    | undefined;
  fault: ((asked: Asked) => Fault | undefined) | undefined;
  /** Changes a listing on its way. */
  editListing: ((entries: Record<string, unknown>[]) => unknown) | undefined;
  pageSize = 1000;
  /** Bytes sent of files, and requests for them. */
  sentBytes = 0;
  asked: Asked[] = [];
  apiCount = 0;
  /** Authorizations that the second host was shown. */
  readonly leaked: string[] = [];
  readonly #hub: Server;
  readonly #cdn: Server;

  constructor() {
    this.#hub = createServer((request, response) => this.#answer(request, response));
    this.#cdn = createServer((request, response) => {
      if (request.headers.authorization !== undefined)
        this.leaked.push(request.headers.authorization);
      const [, commit = "", path = ""] =
        /^\/cdn\/([0-9a-f]+)\/(.+)$/.exec(decodeURIComponent(request.url ?? "")) ?? [];
      this.#send(request, response, path, this.commits.get(commit)?.[path]);
    });
  }

  /** Adds a commit, and moves a branch to it. */
  commit(files: Files, branch = "main"): string {
    const hash = createHash("sha1")
      .update(JSON.stringify(Object.entries(files).map(([path, bytes]) => [path, sha256(bytes)])))
      .digest("hex");
    this.commits.set(hash, { ...files });
    this.branches.set(branch, hash);
    return hash;
  }

  async start(): Promise<this> {
    await Promise.all(
      [this.#hub, this.#cdn].map(
        (server) => new Promise<void>((done) => server.listen(0, "127.0.0.1", done)),
      ),
    );
    return this;
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "", this.endpoint);
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
      response.writeHead(401, { "x-error-message": "Invalid username or password." }).end();
      return;
    }
    const path = decodeURIComponent(url.pathname);
    if (path.startsWith("/api/")) {
      this.apiCount++;
      const fault = this.apiFault?.(path, this.apiCount);
      if (fault !== undefined) {
        response.writeHead(fault.status, fault.headers).end(fault.body ?? "");
        return;
      }
    }
    const [, revision] = /^\/api\/models\/owner\/model\/revision\/(.+)$/.exec(path) ?? [];
    if (revision !== undefined)
      return this.#json(response, this.#commitOf(revision), (sha) => ({
        _id: "1",
        id: this.repo,
        sha,
        lastModified: "2025-01-27",
      }));
    const [, tree] = /^\/api\/models\/owner\/model\/tree\/(.+)$/.exec(path) ?? [];
    if (tree !== undefined) return this.#list(url, response, tree);
    const [, commit = "", file] = /^\/owner\/model\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? [];
    const bytes = file === undefined ? undefined : this.commits.get(commit)?.[file];
    if (file === undefined || bytes === undefined)
      response.writeHead(404, { "x-error-message": "Entry not found" }).end();
    else if (bytes.length < LFS_BYTES) this.#send(request, response, file, bytes);
    else {
      const { port } = this.#cdn.address() as AddressInfo;
      // Another host by its name: a token must not follow.
      response
        .writeHead(302, {
          location: `http://localhost:${port}/cdn/${commit}/${encodeURIComponent(file)}`,
        })
        .end();
    }
  }

  #commitOf(revision: string): string | undefined {
    return this.commits.has(revision) ? revision : this.branches.get(revision);
  }

  #json(
    response: ServerResponse,
    commit: string | undefined,
    make: (commit: string) => unknown,
  ): void {
    if (commit === undefined)
      response.writeHead(404, { "x-error-message": "Invalid rev id" }).end();
    else
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify(make(commit)));
  }

  #list(url: URL, response: ServerResponse, commit: string): void {
    const files = this.commits.get(commit);
    if (files === undefined) {
      response.writeHead(404).end();
      return;
    }
    const all = Object.entries(files).map(([path, bytes]) => {
      const lfs =
        bytes.length < LFS_BYTES
          ? {}
          : { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } };
      return { type: "file", path, size: bytes.length, oid: gitSha1(bytes), ...lfs };
    });
    const from = Number(url.searchParams.get("cursor") ?? "0");
    const next = from + this.pageSize;
    const page = all.slice(from, next);
    if (next < all.length)
      response.setHeader(
        "link",
        `<${this.endpoint}${url.pathname}?recursive=true&cursor=${next}>; rel="next"`,
      );
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify(this.editListing?.(page) ?? page));
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    bytes: Buffer | undefined,
  ): void {
    if (bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const start = Number(from ?? 0);
    const end = Math.min(Number(to ?? bytes.length - 1) + 1, bytes.length);
    const asked = { path, start, end, count: this.asked.length + 1 };
    this.asked.push(asked);
    const fault = this.fault?.(asked);
    if (fault?.kind === "status") {
      response.writeHead(fault.status, fault.headers).end();
      return;
    }
    if (start >= bytes.length && bytes.length > 0) {
      response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
      return;
    }
    let body = Buffer.from(bytes.subarray(start, end));
    if (fault?.kind === "flip") body[fault.at] = (body[fault.at] ?? 0) ^ 1;
    if (fault?.kind === "short") body = body.subarray(0, body.length - fault.by);
    if (fault?.kind === "long") body = Buffer.concat([body, Buffer.alloc(1000)]);
    if (fault?.kind === "whole") {
      this.sentBytes += bytes.length;
      response.writeHead(200, { "content-length": bytes.length }).end(bytes);
      return;
    }
    const first = fault?.kind === "shift" ? start + 1 : start;
    const total = fault?.kind === "total" ? fault.total : bytes.length;
    response.writeHead(206, {
      "content-range": `bytes ${first}-${start + body.length - 1}/${total}`,
      "content-length": body.length,
    });
    if (fault?.kind === "cut" || fault?.kind === "stall") {
      const piece = body.subarray(0, fault.after);
      this.sentBytes += piece.length;
      response.write(piece);
      if (fault.kind === "cut") setImmediate(() => response.socket?.destroySoon());
      return;
    }
    if (fault?.kind === "slow") {
      let at = 0;
      const tick = setInterval(() => {
        const isCrawling = this.sentBytes >= (fault.crawlAfter ?? Infinity);
        const piece = body.subarray(at, at + (isCrawling ? 1 : fault.bytesPerTick));
        at += piece.length;
        this.sentBytes += piece.length;
        if (at >= body.length) response.end(piece);
        else response.write(piece);
        if (at >= body.length) clearInterval(tick);
      }, fault.tickMs);
      response.on("close", () => clearInterval(tick));
      return;
    }
    this.sentBytes += body.length;
    response.end(body);
  }
}

/** Bytes that no compression and no repetition makes alike. */
export function noise(bytes: number, seed: number): Buffer {
  const out = Buffer.alloc(bytes);
  let state = seed * 2_654_435_761 + 1;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[i] = state >>> 24;
  }
  return out;
}
