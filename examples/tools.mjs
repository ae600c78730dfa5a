// The whole loop of tools: the model asks for calls, the program makes them and returns the
// results, until the model answers. Arguments match their schema, or the call is not reported.
//
//   node examples/tools.mjs [MODEL] [QUESTION]
// The embedded model was not trained on tools: its call is forced here, and has random arguments.
import { loadModel } from "r1-native";
import { z } from "zod";

const [path, question = "What is 12+30?"] = process.argv.slice(2);
const Numbers = z.object({ a: z.int().min(0).max(99), b: z.int().min(0).max(99) });
const tools = [
  {
    type: "function",
    function: { name: "add", description: "Adds two numbers.", parameters: Numbers },
  },
];
const TOOLS = { add: (given) => given.a + given.b };

const model = await loadModel(path);
const messages = [{ role: "user", content: question }];
for (let round = 0; round < 5; round++) {
  // An untrained model is made to call once; a trained one decides.
  const toolChoice = path !== undefined ? "auto" : round === 0 ? "required" : "none";
  const result = await model.chat(messages, { tools, toolChoice }).result();
  messages.push({ role: "assistant", ...result });
  if (result.toolCalls.length === 0) {
    console.log(result.answer);
    break;
  }
  await Promise.all(
    result.toolCalls.map(async (call) => {
      const value = TOOLS[call.name](Numbers.parse(call.arguments));
      console.log(`${call.name}(${JSON.stringify(call.arguments)}) = ${value}`);
      messages.push({ role: "tool", toolCallId: call.id, content: String(value) });
    }),
  );
}
await model.close();
