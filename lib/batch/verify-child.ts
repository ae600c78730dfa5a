// The process of a verifier that is a module: imports it once, and answers for one result at a
// time. Runs in a child process.
import { serveTasks } from "../base/bounded-task.js";
import { R1Error } from "../base/errors.js";
import type { VerifyTask } from "./verify-module.js";

type Verify = (row: unknown, result: unknown) => unknown;

let loading: Promise<Verify> | undefined;

async function load(module: string): Promise<Verify> {
  const { default: verify } = (await import(module)) as { default?: unknown };
  if (typeof verify !== "function")
    throw new R1Error("INVALID_ARGUMENT", "its default export is no function", {
      details: { option: "verify" },
    });
  return verify as Verify;
}

serveTasks(async (task) => {
  const { module, about } = task as VerifyTask;
  loading ??= load(module);
  const verify = await loading;
  if (about === undefined) return true;
  const verdict = await verify(about.row, about.result);
  if (typeof verdict === "boolean") return verdict;
  throw new R1Error("INVALID_ARGUMENT", "it returned neither true nor false");
});
