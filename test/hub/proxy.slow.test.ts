// Claims about proxies: requests to the Hub go where the environment, or the option, sends them.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { inspectGguf } from "../../lib/gguf/inspect.js";
import { proxyFetch } from "../../lib/hub/proxy.js";
import { at, failure, onlyBig, pull, useHub } from "./setup.js";

useHub();

/** A proxy that notes what it is asked. */
interface Proxy {
  readonly address: string;
  readonly asked: string[];
  readonly authorizations: (string | undefined)[];
}

const servers: Server[] = [];
const NAMES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];

/** Sets the variables of proxies, and clears those that the machine has. */
function environment(set: Record<string, string>): void {
  for (const name of NAMES) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toUpperCase(), undefined);
  }
  for (const [name, value] of Object.entries(set)) vi.stubEnv(name, value);
}

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});

/** Sends a whole request on to the Hub. */
async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url ?? "");
  const answer = await fetch(at.hub.endpoint + pathname + search, {
    headers: request.headers.range === undefined ? {} : { range: request.headers.range },
  });
  const headers = [...answer.headers].filter(([name]) =>
    ["content-type", "content-length", "content-range", "link"].includes(name),
  );
  response.writeHead(answer.status, Object.fromEntries(headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
}

async function startProxy(kind: "whole" | "tunnel" | "closed"): Promise<Proxy> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const note = (request: IncomingMessage): void => {
    asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
    authorizations.push(request.headers["proxy-authorization"]);
  };
  const server = createServer((request, response) => {
    note(request);
    if (kind === "whole") void forward(request, response);
    else response.writeHead(405).end();
  });
  server.on("connect", (request: IncomingMessage, client: Socket) => {
    note(request);
    if (kind !== "tunnel") {
      client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const asked = new URL(`http://${request.url ?? ""}`);
    const { port, hostname } = asked.hostname === "hub.invalid" ? new URL(at.hub.endpoint) : asked;
    const target = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(target).pipe(client);
    });
    target.on("error", () => client.destroy());
    client.on("error", () => target.destroy());
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    authorizations,
  };
}

/** Nothing answers there, so that only a proxy can bring the file. */
const ELSEWHERE = "http://hub.invalid";

describe("a download goes through", () => {
  it.each(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])(
    "the proxy that %s names",
    async (name) => {
      const proxy = await startProxy("whole");
      environment({ [name]: proxy.address });
      const { fetchedBytes } = await pull({ ...onlyBig, endpoint: ELSEWHERE });
      expect(fetchedBytes).toBe(1_000_003);
      expect(proxy.asked.every((line) => line.startsWith(`GET ${ELSEWHERE}/`))).toBe(true);
    },
  );

  it("one that is named without http://", async () => {
    const proxy = await startProxy("whole");
    environment({ HTTP_PROXY: proxy.address.replace("http://", "") });
    await pull({ ...onlyBig, endpoint: ELSEWHERE });
    expect(proxy.asked.length).toBeGreaterThan(0);
  });

  it("one that only opens tunnels", async () => {
    const proxy = await startProxy("tunnel");
    environment({ HTTP_PROXY: proxy.address });
    const { fetchedBytes } = await pull({ ...onlyBig, endpoint: ELSEWHERE });
    expect(fetchedBytes).toBe(1_000_003);
    expect(proxy.asked).toContain("CONNECT hub.invalid:80");
  });

  it("the one of the option, with its user and password", async () => {
    const proxy = await startProxy("whole");
    environment({ HTTP_PROXY: "http://127.0.0.1:1" });
    const address = proxy.address.replace("http://", "http://ann:s%3Acret@");
    await pull({ ...onlyBig, endpoint: ELSEWHERE, proxy: address });
    expect(new Set(proxy.authorizations)).toEqual(
      new Set([`Basic ${Buffer.from("ann:s:cret").toString("base64")}`]),
    );
  });

  it("a tunnel to an https address", async () => {
    const proxy = await startProxy("closed");
    environment({ HTTPS_PROXY: proxy.address });
    const error = await failure(pull({ endpoint: "https://hub.invalid", retries: 0 }));
    expect(error.code).toBe("NETWORK_FAILED");
    expect(proxy.asked).toEqual(["CONNECT hub.invalid:443"]);
  });
});

describe("a request goes straight", () => {
  it.each(["127.0.0.1,localhost", "*", "hub.example, localhost 127.0.0.1"])(
    "to a host of NO_PROXY=%s",
    async (hosts) => {
      const proxy = await startProxy("whole");
      environment({ HTTP_PROXY: proxy.address, NO_PROXY: hosts });
      await pull(onlyBig);
      expect(proxy.asked).toEqual([]);
    },
  );

  it("with the option `proxy: false`", async () => {
    const proxy = await startProxy("whole");
    environment({ HTTP_PROXY: proxy.address });
    await pull({ ...onlyBig, proxy: false });
    expect(proxy.asked).toEqual([]);
  });

  it("by the platform's own fetch where no proxy is named", async () => {
    environment({});
    expect(await proxyFetch()).toBe(fetch);
  });
});

describe("an address that is no proxy's", () => {
  it.each(["socks5://127.0.0.1:1080", "http://", "ftp://ann:secret@proxy", "http://ann:secret@"])(
    "is refused by the variable's name, without its value: %s",
    async (address) => {
      environment({ HTTPS_PROXY: address });
      const error = await failure(pull({}));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain("HTTPS_PROXY");
      expect(error.message).not.toContain("secret");
    },
  );
});

it("a header is read through the proxy as well", async () => {
  const proxy = await startProxy("whole");
  environment({ HTTP_PROXY: proxy.address });
  const commit = [...at.hub.commits.keys()][0] ?? "";
  const url = `${ELSEWHERE}/cdn/${commit}/sub/big-Q4_K_M.gguf`;
  // It is no GGUF file: that this is said shows that its bytes have come.
  await failure(inspectGguf(url));
  expect(proxy.asked[0]).toBe(`GET ${url}`);
});
