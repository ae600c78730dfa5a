// An app on a real socket, for clients that speak HTTP. On the test's thread.
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { loadTiny } from "../../fixtures/tiny.js";
import { createApp } from "../../../lib/server/app.js";
import type { R1App } from "../../../lib/server/app.js";
import type { ServerOptions } from "../../../lib/server/options.js";
import type { LoadOptions } from "../../../lib/weights/load-options.js";
import type { Model } from "../../../lib/model/model.js";

/** A server that listens. */
export interface Listening {
  readonly app: R1App;
  readonly model: Model;
  /** Without a path. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** The embedded model behind a server of its own, on a free port. */
export async function listen(
  options: ServerOptions = {},
  load: LoadOptions = {},
): Promise<Listening> {
  const model = await loadTiny({ sequences: 4, contextSize: 16_384, ...load });
  const app = createApp(model, options);
  const server = serve({
    fetch: app.fetch,
    port: 0,
    hostname: "127.0.0.1",
    overrideGlobalObjects: false,
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    app,
    model,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        if ("closeAllConnections" in server) server.closeAllConnections();
      });
      await model.close();
    },
  };
}
