// What every test of downloads begins with: a fresh Hub with a small and a large file, and an empty
// folder. Runs in the test process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach } from "vitest";
import { isR1Error, type R1Error } from "../../lib/base/errors.js";
import { downloadModel } from "../../lib/hub/download.js";
import type { DownloadOptions } from "../../lib/hub/download-options.js";
import { FakeHub, noise } from "./fake-hub.js";

export const CHUNK = 65_536;
export const BIG = 1_000_003;
export const big = noise(BIG, 1);
export const readme = Buffer.from("# A model\n");
export const onlyBig = { allowPatterns: "*.gguf" };

/** The Hub and the folder of the test that runs. */
export const at = { hub: new FakeHub(), dir: "" };

export const bigPath = (): string => join(at.dir, "sub", "big-Q4_K_M.gguf");

/** Downloads into the test's folder. */
export const pull = (options: DownloadOptions = {}): ReturnType<typeof downloadModel> =>
  downloadModel(at.hub.repo, {
    endpoint: at.hub.endpoint,
    token: false,
    dir: at.dir,
    chunkBytes: CHUNK,
    retryDelayMs: 1,
    ...options,
  });

/** The R1Error that work fails with. */
export async function failure(work: Promise<unknown>): Promise<R1Error> {
  const error: unknown = await work.then(
    () => "it succeeded",
    (reason: unknown) => reason,
  );
  if (!isR1Error(error)) throw new Error(`no R1Error: ${String(error)}`, { cause: error });
  return error;
}

/** Gives each test of a file its Hub and its folder. */
export function useHub(): void {
  const work = mkdtempSync(join(tmpdir(), "r1-hub-"));
  let round = 0;
  afterAll(() => rmSync(work, { recursive: true, force: true }));
  beforeEach(async () => {
    at.hub = await new FakeHub().start();
    at.hub.commit({ "README.md": readme, "sub/big-Q4_K_M.gguf": big });
    at.dir = join(work, `${++round}`);
  });
  afterEach(() => at.hub.stop());
}
