// Clients that only wait: `node idle-clients.mjs URL COUNT BODY` posts BODY so many times, prints a
// line when each has its answer's head, and holds all connections until it is ended.
import { once } from "node:events";
import { request } from "node:http";

const [url, count, body] = process.argv.slice(2);

const answers = Array.from({ length: Number(count) }, async () => {
  const client = request(url, {
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json" },
  });
  client.on("error", () => undefined).end(body);
  const [response] = await once(client, "response");
  response.resume();
});
await Promise.all(answers);
console.log("waiting");
