// R1 below /llm of a Fastify app. Fastify leaves the mount path on the URL, so the app gets it as
// `basePath`, and bodies below it are left to the app.
//
//   PORT=8080 node examples/fastify/server.mjs [MODEL]
import Fastify from "fastify";
import { loadModel } from "r1-native";
import { createApp, toNodeHandler } from "r1-native/server";

const path = process.argv[2];
const port = process.env.PORT ?? "8080";
const model = await loadModel(path, { sequences: 4 });

const fastify = Fastify();
fastify.get("/", () => "R1 answers below /llm/v1");
const handler = toNodeHandler(createApp({ r1: model }, { basePath: "/llm" }));
await fastify.register(async (scope) => {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, _body, done) => done(null));
  scope.all("/llm/*", (request, reply) => {
    reply.hijack();
    void handler(request.raw, reply.raw);
  });
});

await fastify.listen({ port: Number(port), host: "127.0.0.1" });
console.log(`listening on http://127.0.0.1:${fastify.server.address().port}/llm/v1`);

async function shutDown() {
  await model.close({ drainMs: 30_000 });
  fastify.server.closeAllConnections();
  await fastify.close();
}
process.once("SIGINT", shutDown);
process.once("SIGTERM", shutDown);
