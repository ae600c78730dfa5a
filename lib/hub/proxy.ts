// Sends requests through the proxies in the environment, like curl and the Hub's own tools.
import type { Dispatcher } from "undici";
import { proxyAddress } from "../base/proxy-address.js";

type Env = Readonly<Record<string, string | undefined>>;

/** The proxies for http: and https: addresses; undefined if there is none. */
interface Proxies {
  readonly http: string | undefined;
  readonly https: string | undefined;
  /** Hosts that are contacted directly, as listed in `NO_PROXY`. */
  readonly except: string;
}

/**
 * Returns the value of a variable, in upper or lower case; the lower-case one wins, like in curl.
 */
function variable(env: Env, name: string): { name: string; value: string } | undefined {
  for (const each of [name.toLowerCase(), name.toUpperCase()]) {
    const value = env[each]?.trim();
    if (value !== undefined && value !== "") return { name: each, value };
  }
  return undefined;
}

/** @throws {R1Error} `INVALID_ARGUMENT` if an address is not valid. */
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

/** A `fetch` that uses proxies. Created once per set of proxies, so that connections are reused. */
const made = new Map<string, Promise<typeof fetch>>();

/** The answer of an HTTP proxy that only supports tunnels. */
const ONLY_TUNNELS: readonly number[] = [405, 501];

async function makeFetch({ http, https, except }: Proxies): Promise<typeof fetch> {
  const undici = await import("undici");
  // The same as the platform's, except for its dispatcher option.
  const fetchBy = undici.fetch as unknown as typeof fetch;
  const agent = (proxyTunnel: boolean): Dispatcher =>
    // An empty text means none; without it the environment would be read again.
    new undici.EnvHttpProxyAgent({
      httpProxy: http ?? "",
      httpsProxy: https ?? "",
      noProxy: except,
      proxyTunnel,
    });
  // Plain requests are passed to the proxy whole; requests to https: addresses always use a tunnel.
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
 * Returns the `fetch` for requests to the Hub: through the proxy of the option, or else through
 * those of `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, except for the hosts in `NO_PROXY`; without
 * a proxy, the platform's own.
 *
 * @param option - Address of a proxy; false: no proxy, regardless of the environment.
 * @throws {R1Error} `INVALID_ARGUMENT` if an address is not valid.
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
