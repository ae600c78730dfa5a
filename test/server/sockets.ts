// What tests over real sockets share: an app on a port, and requests whose connection the test cuts.
import { request } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createApp, serve } from "../../lib/server.js";
import type { RunningServer, ServerOptions } from "../../lib/server.js";
import { loadModel } from "../../lib/index.js";
import type { LoadOptions, Model } from "../../lib/index.js";

export interface SocketServer extends AsyncDisposable {
  readonly model: Model;
  readonly server: RunningServer;
}

/** An app on the embedded model behind a free port. */
export async function socketServer(
  options: ServerOptions = {},
  load: LoadOptions = {},
): Promise<SocketServer> {
  const model = await loadModel({ sequences: 2, ...load });
  const server = await serve(createApp({ "tiny-r1": model }, options), { port: 0 });
  return {
    model,
    server,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await model.close();
    },
  };
}

/** A request that has been sent, and its response when its headers come. */
export interface Sent {
  readonly client: ClientRequest;
  readonly response: Promise<IncomingMessage>;
}

export function send(url: string, body: unknown, headers: Record<string, string> = {}): Sent {
  const client = request(url, {
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json", ...headers },
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    client.on("response", resolve);
    client.on("error", reject);
  });
  response.catch(() => undefined);
  client.end(typeof body === "string" ? body : JSON.stringify(body));
  return { client, response };
}

/** Whether a model has nothing to do: no request runs, waits or is prepared. */
export function isIdle(model: Model): boolean {
  const { running, waiting, preparing } = model.stats();
  return running + waiting + preparing === 0;
}

/** Waits until something holds; fails after 20 s. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await sleep(5);
  }
}
