// A vitest reporter that prints, as the very last line, how many tests passed and failed, and above
// it what an earlier run came to. Runs in vitest's main process.
import { writeSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/**
 * Counts a run: a file that could not even be collected, and an error outside of any test, each
 * count as one failure.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      const before = failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        else if (state === "failed") failed += 1;
      }
      if (module.state() === "failed" && failed === before) failed += 1;
    }
    // At exit: vitest itself still has lines to print when this hook runs.
    process.once("exit", () => {
      const earlier = process.env["R1_EARLIER_RESULT"];
      if (earlier !== undefined) writeSync(1, `\n${earlier}\n`);
      writeSync(1, `\n${String(passed)} passed, ${String(failed)} failed\n`);
    });
  }
}
