// `r1-native devices`: lists the devices that llama.cpp can use here, and their memory. Main
// thread.
import type { Command } from "commander";
import { documentAddress } from "../../base/documents.js";
import { bytesText, tableText } from "../file-work.js";
import { write } from "../render.js";
import { reportText } from "../report-json.js";

const HELP = `
Examples:
  r1-native devices
  r1-native devices --backend-dir /opt/ggml-vulkan

A name of the first column goes after --device, and after = in --override-tensor.
How to get GPU backends: ${documentAddress("guide/gpu.md")}`;

/** Lists the devices on standard output. */
export async function listDevices({
  backendDir,
  json,
}: {
  readonly backendDir?: string | undefined;
  readonly json?: boolean;
}): Promise<void> {
  const { devices } = await import("../../index.js");
  const found = devices(backendDir === undefined ? {} : { backendDir });
  if (json === true) {
    await write(process.stdout, reportText("devices", { devices: found }));
    return;
  }
  const rows = found.map(({ name, type, totalBytes, freeBytes, description }) => [
    name,
    type,
    bytesText(totalBytes),
    bytesText(freeBytes),
    description,
  ]);
  await write(
    process.stdout,
    `${tableText([["device", "kind", "memory", "free", "description"], ...rows], [2, 3])}\n`,
  );
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("devices")
    .option("--backend-dir <dir>", "folder with more backend libraries, such as libggml-vulkan.so")
    .option("--json", "as JSON")
    .addHelpText("after", HELP)
    .action(listDevices);
}
