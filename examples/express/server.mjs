// R1 below /llm of an Express app that parses and compresses.
//
//   PORT=8080 node examples/express/server.mjs [MODEL]
import compression from "compression";
import express from "express";
import { loadModel } from "r1-native";
import { createApp, toNodeHandler } from "r1-native/server";

const path = process.argv[2];
const port = process.env.PORT ?? "8080";
const model = await loadModel(path, { sequences: 4 });

const app = express();
app.use(compression(), express.json({ limit: "8mb" }));
app.get("/", (_request, response) => response.send("R1 answers below /llm/v1"));
app.use("/llm", toNodeHandler(createApp({ r1: model })));

const server = app.listen(Number(port), "127.0.0.1", () =>
  console.log(`listening on http://127.0.0.1:${server.address().port}/llm/v1`),
);

async function shutDown() {
  server.close();
  await model.close({ drainMs: 30_000 });
  server.closeAllConnections();
}
process.once("SIGINT", shutDown);
process.once("SIGTERM", shutDown);
