// The app inside other servers: Express behind its parsers, Connect, Fastify, Hono, node:http.
import compression from "compression";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel } from "../../lib/index.js";
import type { Model } from "../../lib/index.js";
import { createApp, toNodeHandler } from "../../lib/server.js";
import { chunksOf, errorOf, textOf } from "./app.js";

let model: Model;
const servers: Server[] = [];
beforeAll(async () => (model = await loadModel({ sequences: 2 })));
afterAll(async () => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  await model.close();
});

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Asks at a mount path; also for what is not there. */
async function expectAnswers(base: string): Promise<void> {
  const response = await fetch(`${base}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "accept-encoding": "gzip" },
    body: JSON.stringify({ messages: [{ role: "user", content: "What is 1+1?" }], stream: true }),
  });
  expect(response.headers.get("content-encoding")).toBeNull();
  const chunks = await chunksOf(response);
  expect(textOf(chunks, "content")).toMatch(/\S/);
  // A role, at least one text, an end: texts that arrive together share a chunk.
  expect(chunks.length).toBeGreaterThan(2);
  const error = await errorOf(fetch(`${base}/v1/nowhere`), 404);
  expect(error.type).toBe("not_found_error");
}

test("Express, behind express.json() and compression()", async () => {
  const app = express();
  app.use(compression(), express.json());
  app.use("/llm", toNodeHandler(createApp({ r1: model })));
  await expectAnswers(`${await listen(app)}/llm`);
});

test("node:http", async () => {
  const handler = toNodeHandler(createApp({ r1: model }));
  await expectAnswers(await listen((request, response) => void handler(request, response)));
});

test("Fastify, below its base path", async () => {
  const fastify = Fastify();
  const handler = toNodeHandler(createApp({ r1: model }, { basePath: "/llm" }));
  await fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _body, done) => done(null));
    scope.all("/llm/*", (request, reply) => {
      reply.hijack();
      void handler(request.raw, reply.raw);
    });
  });
  await fastify.listen({ port: 0, host: "127.0.0.1" });
  const { port } = fastify.server.address() as AddressInfo;
  await expectAnswers(`http://127.0.0.1:${port}/llm`);
  fastify.server.closeAllConnections();
  await fastify.close();
});

test("Hono, as a route of another app", async () => {
  const app = new Hono();
  app.route("/llm", createApp({ r1: model }));
  const { getRequestListener } = await import("@hono/node-server");
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  await expectAnswers(
    `${await listen((request, response) => void listener(request, response))}/llm`,
  );
});

test("the process's own Request and Response stay as they are, and no handlers are added", () => {
  expect(Response.name).toBe("Response");
  expect(new Response("x").constructor).toBe(Response);
  expect(process.listenerCount("SIGTERM")).toBe(0);
});
