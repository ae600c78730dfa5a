// Tools of a request in the library's form, and when the arguments of their calls come as deltas.
import type { ChatOptions, ToolDefinition } from "../../index.js";

/** A function that the model may call, as requests have it. */
export interface GivenFunction {
  readonly name: string;
  readonly description?: unknown;
  readonly parameters?: unknown;
}

/** A function in the library's form; descriptions and schemas that are null are left out. */
export function functionTool({ name, description, parameters }: GivenFunction): ToolDefinition {
  return {
    type: "function",
    function: {
      name,
      ...(typeof description === "string" ? { description } : {}),
      ...(typeof parameters === "object" && parameters !== null
        ? { parameters: parameters as Record<string, unknown> }
        : {}),
    },
  };
}

/**
 * Arguments of a forced call are held to their schema as they are written, and come as deltas, so
 * that a call that is cut off is reported as far as it goes; those of a free call are sent when they
 * have been checked.
 */
export function toolCallDeltas({
  tools,
  toolChoice,
}: Pick<ChatOptions, "tools" | "toolChoice">): Pick<ChatOptions, "toolCallDeltas"> {
  const isForced = typeof toolChoice === "object" || toolChoice === "required";
  return isForced && (tools?.length ?? 0) > 0 ? { toolCallDeltas: true } : {};
}
