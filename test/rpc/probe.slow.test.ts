// Servers that are none: each wrong port is a typed error within 3 s, before llama.cpp is asked. On
// the test's thread.
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { checkEndpoints } from "../../lib/rpc/endpoint.js";
import { probeServers } from "../../lib/rpc/probe.js";

async function listening(
  serve: (socket: Socket) => void,
): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    serve(socket);
  }).listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

function answer(major: number, minor: number): Buffer {
  const bytes = Buffer.alloc(36);
  bytes.writeBigUInt64LE(28n);
  bytes.set([major, minor, 3], 8);
  return bytes;
}

/** An answer to the question how many devices there are. */
function count(bytes = 4): Buffer {
  const answered = Buffer.alloc(8 + bytes, 1);
  answered.writeBigUInt64LE(BigInt(bytes));
  return answered;
}

const WRONG: readonly (readonly [
  name: string,
  code: string,
  reason: string,
  serve: (socket: Socket) => void,
])[] = [
  ["says nothing", "RPC_BUSY", "silent", () => undefined],
  [
    "says half and then nothing",
    "RPC_BUSY",
    "silent",
    (socket) => socket.write(answer(7, 0).subarray(0, 10)),
  ],
  ["greets and then says nothing", "RPC_BUSY", "silent", (socket) => socket.write(answer(7, 0))],
  [
    "greets and then answers half",
    "RPC_BUSY",
    "silent",
    (socket) => socket.write(Buffer.concat([answer(7, 0), count().subarray(0, 9)])),
  ],
  [
    "greets and then answers something else",
    "RPC_INVALID",
    "protocol",
    (socket) => socket.write(Buffer.concat([answer(7, 0), count(5)])),
  ],
  ["greets and then closes", "RPC_INVALID", "closed", (socket) => socket.end(answer(7, 0))],
  ["closes at once", "RPC_INVALID", "closed", (socket) => socket.end()],
  [
    "resets the connection",
    "RPC_INVALID",
    "closed",
    (socket) => socket.once("data", () => socket.resetAndDestroy()),
  ],
  [
    "speaks HTTP",
    "RPC_INVALID",
    "protocol",
    (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
  ],
  ["is of an older version", "RPC_INVALID", "version", (socket) => socket.write(answer(6, 0))],
  ["is of a newer version", "RPC_INVALID", "version", (socket) => socket.write(answer(7, 1))],
];

async function failureOf(
  endpoint: string,
): Promise<{ code: string; details: object; message: string; ms: number }> {
  const start = performance.now();
  const error = await probeServers(checkEndpoints([endpoint], "rpc")).then(
    () => ({ code: "none" }),
    (reason: unknown) => reason,
  );
  const { code, details, message } = error as { code: string; details: object; message: string };
  return { code, details, message, ms: performance.now() - start };
}

describe("a server", () => {
  it.each(WRONG)("that %s is %s", async (_name, code, reason, serve) => {
    const { port, close } = await listening(serve);
    const found = await failureOf(`127.0.0.1:${port}`);
    close();
    expect(found).toMatchObject({
      code,
      details: { server: `127.0.0.1:${port}`, reason },
      message: expect.stringContaining(String(port)) as string,
    });
    expect(found.ms).toBeLessThan(25_000);
  });

  it("that is not there is RPC_UNREACHABLE, and so is a name that nobody knows", async () => {
    const { port, close } = await listening(() => undefined);
    close();
    expect(await failureOf(`127.0.0.1:${port}`)).toMatchObject({
      code: "RPC_UNREACHABLE",
      details: { reason: "refused" },
    });
    const unknown = await failureOf("no-such-host.invalid:50052");
    expect(unknown.code).toBe("RPC_UNREACHABLE");
    expect(unknown.ms).toBeLessThan(25_000);
  });

  it("that answers is taken, in however many pieces it does; many are asked at once", async () => {
    const servers = await Promise.all(
      Array.from({ length: 16 }, () =>
        listening((socket) => {
          socket.write(answer(7, 0).subarray(0, 9));
          setImmediate(() => socket.write(answer(7, 0).subarray(9)));
          socket.on("data", (bytes) => bytes.at(-9) === 15 && socket.write(count()));
        }),
      ),
    );
    await probeServers(
      checkEndpoints(
        servers.map(({ port }) => `127.0.0.1:${port}`),
        "rpc",
      ),
    );
    for (const { close } of servers) close();
  });

  it("is waited for no longer than the signal allows", async () => {
    const { port, close } = await listening(() => undefined);
    const reason = new Error("enough");
    const controller = new AbortController();
    const probing = probeServers(checkEndpoints([`127.0.0.1:${port}`], "rpc"), controller.signal);
    controller.abort(reason);
    await expect(probing).rejects.toBe(reason);
    close();
  });
});

describe("an address", () => {
  it.each([
    [["x"]],
    [[":1"]],
    [["a:0"]],
    [["a:65536"]],
    [["a:b"]],
    [["::1:50052"]],
    [["http://a:1"]],
    [["a:1 "]],
    [[1]],
    ["a:1"],
    [["a:1", "b:1", "A:1"]],
    [["a:1", "a:01"]],
  ])("is refused: %j", (given) => {
    expect(() => checkEndpoints(given, "rpc")).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error,
    );
  });

  it("is one of at most 16", () => {
    const many = Array.from({ length: 17 }, (_, i) => `a:${i + 1}`);
    expect(checkEndpoints(many.slice(1), "rpc")).toHaveLength(16);
    expect(() => checkEndpoints(many, "rpc")).toThrow(/at most 16/);
  });
});
