// Lets the user edit a text in their own editor. Main thread, which waits for the editor.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { R1Error } from "../../base/errors.js";

/**
 * Opens `$VISUAL`, else `$EDITOR`, else vi (on Windows Notepad) with a text, in a file that only this user can read.
 *
 * @returns The text as it was saved, without the line break at its end.
 * @throws {R1Error} `INVALID_ARGUMENT` if the editor cannot be started or fails.
 */
export function editText(text: string, env: NodeJS.ProcessEnv = process.env): string {
  const isWindows = process.platform === "win32";
  const usual = isWindows ? "notepad" : "vi";
  const command = [env["VISUAL"], env["EDITOR"]].find((each) => (each ?? "") !== "") ?? usual;
  const folder = mkdtempSync(join(tmpdir(), "r1-native-edit-"));
  const file = join(folder, "message.txt");
  try {
    writeFileSync(file, text, { mode: 0o600 });
    // The variable may hold arguments, and it is a command of the shell's, as for git.
    const name = isWindows ? "%R1_EDITED_FILE%" : "$R1_EDITED_FILE";
    const { status, error } = spawnSync(`${command} "${name}"`, {
      shell: true,
      stdio: "inherit",
      env: { ...env, R1_EDITED_FILE: file },
    });
    if (error !== undefined || status !== 0)
      throw new R1Error(
        "INVALID_ARGUMENT",
        `The editor ${JSON.stringify(command)} failed` +
          `${error === undefined ? ` with exit code ${String(status)}` : `: ${error.message}`}. ` +
          "Set VISUAL or EDITOR to another one.",
      );
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
