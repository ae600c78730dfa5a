// Requests through the proxies of the environment, as curl and the Hub's own tools make them.
import type { Dispatcher } from "undici";
import { proxyAddress } from "../base/proxy-address.js";

type Env = Readonly<Record<string, string | undefined>>;

/** Which proxy takes requests to http: and to https: addresses; undefined: none. */
interface Proxies {
  readonly http: string | undefined;
  readonly https: string | undefined;
  /** Hosts that are asked directly, as `NO_PROXY` lists them. */
  readonly except: string;
}

/** The value of a variable, in either case; the lower one wins, as in curl. */
function variable(env: Env, name: string): { name: string; value: string } | undefined {
  for (const each of [name.toLowerCase(), name.toUpperCase()]) {
    const value = env[each]?.trim();
    if (value !== undefined && value !== "") return { name: each, value };
  }
  return undefined;
}

/** @throws {R1Error} `INVALID_ARGUMENT` for an address that is not one. */
function proxiesOf(option: string | undefined, env: Env): Proxies | undefined {
  const except = variable(env, "no_proxy")?.value ?? "";
  if (option !== undefined) {
    const address = proxyAddress(option, "proxy");
    return { http: address, https: address, except };
  }
  const read = (name: string): string | undefined => {
    const found = variable(env, name) ?? variable(env, "all_proxy");
    return found === undefined ? undefined : proxyAddress(found.value, found.name);
  };
  const [http, https] = [read("http_proxy"), read("https_proxy")];
  return http === undefined && https === undefined ? undefined : { http, https, except };
}

/**
 * A `fetch` that goes through proxies. Made once for each set of proxies, so that connections are
 * kept.
 */
const made = new Map<string, Promise<typeof fetch>>();

/** What an HTTP proxy answers that only opens tunnels. */
const ONLY_TUNNELS: readonly number[] = [405, 501];

async function makeFetch({ http, https, except }: Proxies): Promise<typeof fetch> {
  const undici = await import("undici");
  // The same as the platform's, but for the dispatcher that it takes.
  const fetchBy = undici.fetch as unknown as typeof fetch;
  const agent = (proxyTunnel: boolean): Dispatcher =>
    // An empty text stands for none; left out, the environment would be read again.
    new undici.EnvHttpProxyAgent({
      httpProxy: http ?? "",
      httpsProxy: https ?? "",
      noProxy: except,
      proxyTunnel,
    });
  // Plain requests are handed to the proxy whole; those to https: addresses always go by a tunnel.
  const plain = agent(false);
  let tunnel: Dispatcher | undefined;
  const through = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const ask = (dispatcher: Dispatcher): Promise<Response> =>
      fetchBy(input, { ...init, dispatcher } as never);
    if (tunnel !== undefined) return ask(tunnel);
    const response = await ask(plain);
    if (!ONLY_TUNNELS.includes(response.status) || new URL(input).protocol !== "http:")
      return response;
    await response.body?.cancel();
    const other = agent(true);
    const again = await ask(other);
    tunnel = other;
    return again;
  };
  return through as typeof fetch;
}

/**
 * The `fetch` for requests to the Hub: through the proxy of the option, else through those that
 * `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` name, but for the hosts of `NO_PROXY`; the platform's
 * own where there is none.
 *
 * @param option - Address of a proxy; false: none, whatever the environment says.
 * @throws {R1Error} `INVALID_ARGUMENT` for an address that is not one.
 */
export async function proxyFetch(
  option?: string | false,
  env: Env = process.env,
): Promise<typeof fetch> {
  const proxies = option === false ? undefined : proxiesOf(option, env);
  if (proxies === undefined) return fetch;
  const key = JSON.stringify(proxies);
  let through = made.get(key);
  if (through === undefined) {
    through = makeFetch(proxies);
    made.set(key, through);
  }
  return through;
}
