// An answer in a given form: a Zod schema (or a JSON Schema) that every answer matches, while the
// reasoning stays free. The sampler cannot choose anything else; nothing is asked for twice.
//
//   node examples/structured.mjs [MODEL]
import { loadModel } from "r1-native";
import { z } from "zod";

const Sum = z.object({
  sum: z.int().min(0).max(1000),
  isEven: z.boolean(),
});

const model = await loadModel(process.argv[2]);
const { answer, finishReason } = await model
  .chat([{ role: "user", content: "What is 12+30?" }], {
    response: { schema: Sum },
    // The only way to an answer that does not match: it is cut off.
    maxTokens: 4096,
  })
  .result();

if (finishReason === "stop") console.log(Sum.parse(JSON.parse(answer)));
else console.log(`The answer was cut off (${finishReason}): ${answer}`);
await model.close();
