// Compiles schemas to grammars for lib/grammar/compile.ts. Runs in a child process.
import { serveTasks } from "../base/bounded-task.js";
import type { SchemaTask } from "./compile.js";
import { schemaToGrammar } from "./schema/schema-grammar.js";
import { toolGrammar } from "./tool-grammar.js";

serveTasks((given) => {
  const task = given as SchemaTask;
  return task.kind === "schema"
    ? schemaToGrammar(JSON.parse(task.json), task.path)
    : toolGrammar(task.tools, task.texts, task.ids, task.path);
});
