// Runs one snippet as a reader would: typed into a shell, or saved to a file and given to Node.
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import type { Snippet } from "../../scripts/docs/snippets.mjs";
import { USER_OPTIONS } from "../fixtures/compiler-options.js";

/** How a snippet ended. */
export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** A child with all that it starts, so that it can be ended as a whole. */
function start(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string> },
): ChildProcess {
  return spawn(command, args, { ...options, stdio: ["pipe", "pipe", "pipe"], detached: true });
}

function endAll(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Runs a command to its end; one that takes more than 200 s is ended and fails. */
export function runToEnd(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string>; input?: string },
): Promise<Outcome> {
  const child = start(command, args, options);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stdin?.on("error", () => undefined).end(options.input ?? "");
  return new Promise((done) => {
    const timer = setTimeout(() => {
      output += "\n(ended after 200 s)";
      endAll(child, "SIGKILL");
    }, 200_000);
    child.once("close", (code) => {
      clearTimeout(timer);
      endAll(child, "SIGKILL");
      done({ code, output });
    });
  });
}

/** Starts a server and waits until it says where it listens; returns how to end it. */
export async function startServer(
  code: string,
  options: { cwd: string; env: Record<string, string> },
): Promise<() => Promise<void>> {
  const child = start("bash", ["--norc", "-euc", code], options);
  child.stdin?.end();
  let output = "";
  const ended = new Promise<void>((done) => child.once("close", () => done()));
  await new Promise<void>((done, fail) => {
    const timer = setTimeout(
      () => fail(new Error(`the server does not listen:\n${output}`)),
      60_000,
    );
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (!/listening|is loaded|ready to accept|http:\/\//i.test(output)) return;
        clearTimeout(timer);
        done();
      });
    child.once("close", () => fail(new Error(`the server ended:\n${output}`)));
  });
  return async () => {
    endAll(child, "SIGINT");
    const timer = setTimeout(() => endAll(child, "SIGKILL"), 10_000);
    await ended;
    clearTimeout(timer);
  };
}

/** What the compiler says about the TypeScript files of a folder. */
export function typeFaults(folder: string): string[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".mts"))
    .map((name) => join(folder, name));
  if (files.length === 0) return [];
  const program = ts.createProgram(files, {
    ...USER_OPTIONS,
    typeRoots: [join(folder, "../../node_modules/@types")],
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
}

/** Saves a program, compiles it if it is TypeScript, and returns the file that Node runs. */
export function saveProgram(folder: string, name: string, { language, code }: Snippet): string {
  if (language === "js") {
    writeFileSync(join(folder, `${name}.mjs`), code);
    return `${name}.mjs`;
  }
  writeFileSync(join(folder, `${name}.mts`), code);
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  writeFileSync(
    join(folder, `${name}.mjs`),
    ts.transpileModule(code, { compilerOptions }).outputText,
  );
  return `${name}.mjs`;
}

/** The lines of an expected output that the real one lacks; `...` stands for any text. */
export function missingLines(expected: string, output: string): string[] {
  let rest = output;
  return expected.split("\n").filter((line) => {
    const wanted = line.trim();
    if (wanted === "" || wanted === "...") return false;
    const pattern = wanted
      .split(/\.\.\.|\s+/)
      .map((piece) => piece.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("[^\\n]*?");
    const at = new RegExp(pattern).exec(rest);
    if (at === null) return true;
    rest = rest.slice(at.index + at[0].length);
    return false;
  });
}
