// R1 as an OpenAI-compatible server of its own; `r1-native serve` is this with flags.
//
//   PORT=8080 node examples/server.mjs [MODEL]
//   curl -N localhost:8080/v1/chat/completions -H 'content-type: application/json' \
//     -d '{"messages":[{"role":"user","content":"What is 1+1?"}],"stream":true}'
import { loadModel } from "r1-native";
import { createApp, serve } from "r1-native/server";

const path = process.argv[2];
const port = process.env.PORT ?? "8080";
const model = await loadModel(path, { sequences: 4 });
const server = await serve(createApp({ r1: model }), { port: Number(port) });
console.log(`listening on ${server.url}`);

async function shutDown() {
  await server.close({ drainMs: 30_000 });
  await model.close();
}
process.once("SIGINT", shutDown);
process.once("SIGTERM", shutDown);
