// R1 below /llm of a Hono app that has routes of its own.
//
//   PORT=8080 node examples/hono/server.mjs [MODEL]
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { loadModel } from "r1-native";
import { createApp } from "r1-native/server";

const path = process.argv[2];
const port = process.env.PORT ?? "8080";
const model = await loadModel(path, { sequences: 4 });

const app = new Hono();
app.get("/", (c) => c.text("R1 answers below /llm/v1"));
app.route("/llm", createApp({ r1: model }));

const server = serve(
  { fetch: app.fetch, port: Number(port), hostname: "127.0.0.1", overrideGlobalObjects: false },
  ({ port: actual }) => console.log(`listening on http://127.0.0.1:${actual}/llm/v1`),
);

async function shutDown() {
  server.close();
  await model.close({ drainMs: 30_000 });
  server.closeAllConnections();
}
process.once("SIGINT", shutDown);
process.once("SIGTERM", shutDown);
