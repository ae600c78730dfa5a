// Before the tests on CUDA: refuses to run without a CUDA device, which the addon has built in
// (`npm run build:native -- --cuda`). Runs in vitest's main process.
import { runChild } from "../fixtures/child.js";

const DEVICE = "CUDA0";

export async function setup(): Promise<void> {
  const { code, stdout, stderr } = await runChild(
    `const { devices } = await import(LIBRARY); console.log(devices().map(({ name }) => name).join(" "));`,
  );
  if (code !== 0) throw new Error(`the library does not load: ${stderr}`);
  const names = stdout.trim().split(" ");
  if (!names.includes(DEVICE))
    throw new Error(
      `There is no device ${DEVICE} here, only ${names.join(", ")}. Is there an NVIDIA GPU with its driver?`,
    );
  Object.assign(process.env, {
    R1_TEST_GPU_DEVICE: DEVICE,
    R1_TEST_GPU_KIND: "hardware",
    R1_TEST_BACKEND_DIR: "",
  });
}
