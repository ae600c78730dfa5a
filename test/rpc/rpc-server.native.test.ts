// The RPC server, from the library and from the program: it listens, says what is wrong with a
// port, and ends without a trace. Starts children of the test process; needs dist/ and the addon.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { startRpcServer } from "../../dist/index.js";
import { run, start } from "../cli/program.js";

/** Whether somebody listens there. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket
      .on("connect", () => socket.destroy(resolve(true) as undefined))
      .on("error", () => resolve(false));
  });
}

async function takenPort(): Promise<{ port: number; free: () => void }> {
  const server = createServer().listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, free: () => server.close() };
}

describe("startRpcServer", () => {
  it("listens on a free port of loopback until it is closed, however often", async () => {
    const server = await startRpcServer({ port: 0, threads: 1 });
    expect(server).toMatchObject({
      host: "127.0.0.1",
      isLoopback: true,
      endpoint: `127.0.0.1:${server.port}`,
    });
    expect(await isOpen(server.port)).toBe(true);
    await Promise.all([server.close(), server.close()]);
    await server.ended;
    expect(await isOpen(server.port)).toBe(false);
  });

  it("says that a port is taken, that an address is not this machine's, that a device is not there", async () => {
    const taken = await takenPort();
    await expect(startRpcServer({ port: taken.port })).rejects.toMatchObject({
      code: "RPC_SERVER_FAILED",
      details: { reason: "port-taken" },
    });
    taken.free();
    await expect(startRpcServer({ host: "192.0.2.1" })).rejects.toMatchObject({
      code: "RPC_SERVER_FAILED",
      details: { reason: "host" },
    });
    await expect(startRpcServer({ host: "no-such-host.invalid" })).rejects.toMatchObject({
      code: "RPC_SERVER_FAILED",
      details: { reason: "host" },
    });
    await expect(startRpcServer({ port: 0, devices: ["CUDA7"] })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("CUDA7") as string,
    });
  });

  it.each([
    { port: -1 },
    { port: 65_536 },
    { host: "" },
    { threads: 0 },
    { devices: "CPU" },
    { cache: 1 },
    { prot: 1 },
  ])("refuses %j", async (options) => {
    await expect(startRpcServer(options as object)).rejects.toMatchObject({
      code: expect.stringMatching(/^(INVALID_ARGUMENT|UNKNOWN_OPTION)$/) as string,
    });
  });
});

describe("r1-native rpc-server", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "tells its address, and %s ends it with code 0 and frees the port",
    async (signal) => {
      const {
        child,
        stdout: shown,
        ended,
      } = start(["rpc-server", "--port", "0", "--threads", "1"]);
      await shown.until("listening on 127.0.0.1:");
      child.kill(signal);
      const { code, stdout, stderr } = await ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(await isOpen(Number(/:(\d+)\n/.exec(stdout)?.[1]))).toBe(false);
    },
  );

  it("warns plainly when other machines can reach it", async () => {
    const { child, stdout, ended } = start(["rpc-server", "--host", "0.0.0.0", "--port", "0"]);
    await stdout.until("listening on 0.0.0.0:");
    child.kill("SIGINT");
    expect((await ended).stderr).toMatch(/WARNING[^]*no authentication and no encryption/);
  });

  it("says in one line that the port is taken", async () => {
    const taken = await takenPort();
    const { code, stderr } = await run(["rpc-server", "--port", String(taken.port)]);
    taken.free();
    expect(code).toBe(1);
    expect(stderr).toContain(`127.0.0.1:${taken.port} is taken`);
  });
});
