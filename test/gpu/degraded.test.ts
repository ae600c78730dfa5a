// A real backend library that is damaged, or meets a machine without its driver: one warning, the
// CPU's answer, and the process lives.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerWith, copyPatched, copyStart, folderWith } from "../fixtures/backend-libraries.js";
import { loadTiny } from "../fixtures/tiny.js";
import { BACKEND_DIR, IS_SOFTWARE } from "./tools.js";

const LIBRARY = join(BACKEND_DIR, "libggml-vulkan.so");
let root: string;
let expected: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "r1-native-vulkan-"));
  const model = await loadTiny({ contextSize: 512 });
  expected = (
    await model
      .chat([{ role: "user", content: "What is 1+1?" }], { temperature: 0, maxTokens: 8 })
      .result()
  ).text;
  await model.close();
});
afterAll(() => rmSync(root, { recursive: true }));

async function degrades(folder: string, reason: RegExp): Promise<void> {
  const outcome = await answerWith(folder);
  expect(outcome).toMatchObject({ code: 0, signal: null, devices: ["CPU"], text: expected });
  expect(outcome.warnings).toHaveLength(1);
  expect(outcome.warnings[0]).toMatch(reason);
}

describe("the Vulkan backend degrades to the CPU", () => {
  it("without a driver", async () => {
    const { VK_DRIVER_FILES, VK_ICD_FILENAMES } = process.env;
    Object.assign(process.env, {
      VK_DRIVER_FILES: "/nowhere.json",
      VK_ICD_FILENAMES: "/nowhere.json",
    });
    try {
      await degrades(BACKEND_DIR, /libggml-vulkan\.so \(/);
    } finally {
      Object.assign(process.env, { VK_DRIVER_FILES, VK_ICD_FILENAMES });
    }
  });

  // What ggml does with software devices that nobody names.
  it.runIf(IS_SOFTWARE)("when every device is left out", async () => {
    const { GGML_VK_VISIBLE_DEVICES } = process.env;
    delete process.env["GGML_VK_VISIBLE_DEVICES"];
    try {
      await degrades(BACKEND_DIR, /finds no device/);
    } finally {
      process.env["GGML_VK_VISIBLE_DEVICES"] = GGML_VK_VISIBLE_DEVICES;
    }
  });

  it("without the Vulkan loader", async () => {
    await degrades(
      folderWith(root, "loader", (path) =>
        copyPatched(LIBRARY, path, "libvulkan.so.1", "libvulkan.so.X"),
      ),
      /libvulkan\.so\.X: cannot open shared object file/,
    );
  });

  it("when its ggml is another version", async () => {
    const folder = folderWith(root, "version", (path) => {
      copyFileSync(LIBRARY, path);
      copyPatched(
        join(BACKEND_DIR, "libggml-base.so"),
        join(dirname(path), "libggml-base.so"),
        "0.25.1\0",
        "0.24.9\0",
      );
    });
    await degrades(folder, /built for ggml 0\.24\.9, and this is ggml 0\.25\.1/);
  });

  it("when it brings a ggml of its own", async () => {
    const folder = folderWith(root, "own", (path) => {
      copyPatched(LIBRARY, path, "libggml-base.so\0", "libggml-base.s2\0");
      copyFileSync(join(BACKEND_DIR, "libggml-base.so"), join(dirname(path), "libggml-base.s2"));
    });
    await degrades(folder, /brings a ggml of its own/);
  });

  it.each([0.001, 0.1, 0.5, 0.9, 0.94])("when only %f of it was copied", async (share) => {
    await degrades(
      folderWith(root, `part-${share}`, (path) => copyStart(LIBRARY, path, share)),
      /libggml-vulkan\.so \(/,
    );
  });

  // The file's header, its tables of symbols and relocations, code, constants, constructors, the
  // table of tables.
  it("when a part of it is noise", async () => {
    let worked = 0;
    const places = [0x40, 0x3f0, 0x3c50, 0xd420, 0x13a000, 0x28e9110, 0x28ea650, 0x28eb520];
    for (const at of places) {
      const bytes = readFileSync(LIBRARY);
      for (let j = 0; j < 512; j++) bytes[at + j] = (j * 167 + at) & 255;
      const folder = folderWith(root, `noise-${at}`, (path) => writeFileSync(path, bytes));
      const outcome = await answerWith(folder);
      expect(outcome).toMatchObject({ code: 0, signal: null, text: expected });
      expect(outcome.devices).toEqual(outcome.warnings.length === 1 ? ["CPU"] : ["CPU", "Vulkan0"]);
      // Where nothing is hit that is needed here, the library works.
      if (outcome.warnings.length === 0) worked++;
      rmSync(folder, { recursive: true });
    }
    expect(worked).toBeLessThan(places.length);
    console.log(
      `${places.length} damaged copies: ${places.length - worked} refused with a warning, ${worked} in use, 0 processes lost`,
    );
  });
});
