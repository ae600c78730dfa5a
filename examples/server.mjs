// A server that streams replies over HTTP with only node:http: POST a JSON array of messages, get
// one JSON part per line. If a client disconnects, its generation stops.
//
//   node examples/server.mjs [MODEL] [PORT]
//   curl -N localhost:8080 -d '[{"role":"user","content":"What is 1+1?"}]'
import { once } from "node:events";
import { createServer } from "node:http";
import { isR1Error, loadModel } from "r1-native";

const [path, port = "8080"] = process.argv.slice(2);
const MAX_BODY_BYTES = 1_000_000;

async function readJson(request) {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) {
    text += piece;
    if (text.length > MAX_BODY_BYTES)
      throw Object.assign(new Error("The request is too long."), { status: 413 });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw Object.assign(new Error("The request is not JSON: send an array of messages."), {
      status: 400,
    });
  }
}

async function reply(model, request, response) {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const generation = model.chat(await readJson(request), { maxTokens: 2048, signal: gone.signal });
  // A full queue or a prompt that is too long rejects here, while the status can still say so.
  await generation.admitted;
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for await (const part of generation) {
    if (!response.write(`${JSON.stringify(part)}\n`))
      await once(response, "drain", { signal: gone.signal });
  }
  response.end();
}

/** What went wrong, as an HTTP status: the caller's fault, too much at once, or ours. */
function statusOf(error) {
  if (error.status !== undefined) return error.status;
  if (isR1Error(error, "QUEUE_FULL")) return 503;
  return isR1Error(error) && /^(INVALID|UNKNOWN|PROMPT_TOO_LONG)/.test(error.code) ? 400 : 500;
}

const model = await loadModel(path, { sequences: 4 });
const server = createServer((request, response) => {
  reply(model, request, response).catch((error) => {
    if (response.destroyed) return;
    if (!response.headersSent)
      response.writeHead(statusOf(error), { "content-type": "application/json" });
    response.end(
      `${JSON.stringify({ error: { code: error.code ?? "INVALID_ARGUMENT", message: error.message } })}\n`,
    );
  });
});

async function shutDown() {
  server.close();
  server.closeAllConnections();
  await model.close();
}
process.once("SIGINT", shutDown);
process.once("SIGTERM", shutDown);

server.listen(Number(port), "127.0.0.1", () =>
  console.log(`listening on http://localhost:${server.address().port}`),
);
