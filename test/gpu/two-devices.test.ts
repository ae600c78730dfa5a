// One model over two devices, a GPU and an RPC server's: its layers divided as asked, and the CPU's
// greedy text.
import { totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, startRpcServer } from "../../dist/index.js";
import type { LoadOptions, Model, RpcServer } from "../../dist/index.js";
import { runChild } from "../fixtures/child.js";
import { BACKEND, DEVICE, QUESTION, REPLY, WIDTH, answer, loadOnCpu } from "./tools.js";

const BINDING = fileURLToPath(new URL("../../dist/binding/load.js", import.meta.url));

let server: RpcServer;
beforeAll(async () => {
  server = await startRpcServer({ devices: ["CPU"], threads: 1, port: 0 });
});
afterAll(() => server.close());

/** As users load it: the model has a process of its own, which loads the library. */
const loadOnBoth = (options: LoadOptions): Promise<Model> =>
  loadModel({
    ...BACKEND,
    rpc: [server.endpoint],
    devices: [DEVICE, "RPC0"],
    gpuLayers: "all",
    threads: 1,
    contextSize: 1024,
    ...WIDTH,
    ...options,
  });

describe("half of the layers on a GPU, half on another machine's device", () => {
  it.each(["f16", "q4_0"] as const)(
    "give the CPU's greedy text, with a cache of %s",
    async (cacheTypeK) => {
      const alone = await loadOnCpu({ cacheTypeK });
      expect(alone.info.devices).toEqual(["CPU"]);
      const expected = (await answer(alone)).text;
      await alone.close();

      const model = await loadOnBoth({ tensorSplit: [1, 1], cacheTypeK });
      const { text } = await model.chat([...QUESTION], REPLY).result();
      expect(text).toBe(expected);
      expect(model.info.devices).toEqual([DEVICE, "RPC0", "CPU"]);
      const [gpu, rpc] = model.info.memory;
      expect([gpu?.device, rpc?.device]).toEqual([DEVICE, "RPC0"]);
      for (const place of [gpu, rpc]) {
        expect(place!.weightBytes).toBeGreaterThan(1_000_000);
        expect(place!.cacheBytes).toBeGreaterThan(0);
      }
      expect(gpu!.cacheBytes + rpc!.cacheBytes).toBe(model.info.cache.bytes);
      console.log(
        `${cacheTypeK}: ${DEVICE} ${gpu!.weightBytes}, RPC0 ${rpc!.weightBytes} bytes of weights; equal`,
      );
      await model.close();
    },
  );

  it("are divided as `tensorSplit` says", async () => {
    const cells: number[] = [];
    for (const tensorSplit of [
      [1, 9],
      [1, 1],
      [9, 1],
    ]) {
      const model = await loadOnBoth({ tensorSplit });
      cells.push(model.info.memory.find(({ device }) => device === DEVICE)?.cacheBytes ?? 0);
      await model.close();
    }
    expect(cells[0]).toBeLessThan(cells[1]!);
    expect(cells[1]).toBeLessThan(cells[2]!);
  });
});

describe("the devices of a process with both", () => {
  it("are told with their memory, the server's as the server has it", async () => {
    const { stdout, stderr, code } = await runChild(`
      const { native } = await import(${JSON.stringify(BINDING)});
      const { devices } = await import(LIBRARY);
      devices(${JSON.stringify(BACKEND)});
      await native().connectRpc([${JSON.stringify(server.endpoint)}]);
      console.log(JSON.stringify(devices()));
      process.exit(0);
    `);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const found = JSON.parse(stdout) as {
      name: string;
      type: string;
      freeBytes: number;
      totalBytes: number;
    }[];
    expect(found.map(({ name, type }) => [name, type]).sort()).toEqual([
      ...[
        ["CPU", "cpu"],
        ["RPC0", "gpu"],
        [DEVICE, "gpu"],
      ].sort(),
    ]);
    for (const { freeBytes, totalBytes } of found) {
      expect(freeBytes).toBeGreaterThan(0);
      expect(freeBytes).toBeLessThanOrEqual(totalBytes);
    }
    // It lends this machine's CPU.
    expect(found.find(({ name }) => name === "RPC0")?.totalBytes).toBe(totalmem());
  });
});
