// A Hub on this machine with one repository, owner/model, and one file in it. Runs in run.mjs.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const COMMIT = "5".repeat(40);

function sendRange(request, response, bytes) {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (from === undefined) {
    response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    return;
  }
  const part = bytes.subarray(Number(from), to === "" ? undefined : Number(to) + 1);
  const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
  response.writeHead(206, { "content-range": range, "content-length": part.length }).end(part);
}

/**
 * Serves the bytes of a model file.
 *
 * @returns Its address, and a function that ends it.
 */
export async function startHub(bytes) {
  const oid = createHash("sha256").update(bytes).digest("hex");
  const file = {
    type: "file",
    path: "model-Q8_0.gguf",
    size: bytes.length,
    oid: "1".repeat(40),
    lfs: { oid, size: bytes.length, pointerSize: 130 },
  };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url.split("?")[0]);
    const json = (value) =>
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (path.includes("/revision/")) json({ _id: "1", id: "owner/model", sha: COMMIT });
    else if (path.includes("/tree/")) json([file]);
    else if (path.includes("/resolve/")) sendRange(request, response, bytes);
    else response.writeHead(404).end();
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
