// A package registry on this machine for the tests: it serves our archives, and asks the registry
// that npm is configured with for all other packages.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { capture } from "../../scripts/build/process.mjs";
import { cleanEnvironment } from "./support.mjs";

const JSON_TYPE = "application/json";

/** A version is older than a day, since some package managers install no newer ones. */
const PUBLISHED = new Date(Date.now() - 30 * 86_400_000).toISOString();

const digest = (algorithm, data, encoding) => createHash(algorithm).update(data).digest(encoding);

/** Names that are never asked for elsewhere. */
const OURS = /^(r1-native|@r1-native\/[\w-]+)$/;

/** What a registry answers for a package that has one version. */
function documentOf(address, { manifest, path, data }) {
  const { name, version } = manifest;
  const dist = {
    tarball: `${address}/${path}`,
    integrity: `sha512-${digest("sha512", data, "base64")}`,
    shasum: digest("sha1", data, "hex"),
  };
  return JSON.stringify({
    name,
    "dist-tags": { latest: version },
    time: { created: PUBLISHED, modified: PUBLISHED, [version]: PUBLISHED },
    versions: { [version]: { ...manifest, dist } },
  });
}

/** The packages of our own that are published here. */
class Packages {
  #byName = new Map();
  #byPath = new Map();
  /** Names in the order in which they were published by `npm publish`. */
  published = [];

  add(manifest, data) {
    const path = `-/archives/${manifest.name.replace("/", "-")}-${manifest.version}.tgz`;
    const one = { manifest, path, data };
    this.#byName.set(manifest.name, one);
    this.#byPath.set(path, one);
  }

  /** Takes what `npm publish` sends. */
  take(text) {
    const { name, versions, _attachments: attachments } = JSON.parse(text);
    const [{ data }] = Object.values(attachments);
    this.add(Object.values(versions)[0], Buffer.from(data, "base64"));
    this.published.push(name);
  }

  /** The answer for a path; undefined if it is no package of ours. */
  answer(path, address) {
    const archive = this.#byPath.get(path);
    if (archive !== undefined) return { status: 200, type: "application/gzip", body: archive.data };
    if (!OURS.test(path)) return undefined;
    const found = this.#byName.get(path);
    return found === undefined
      ? { status: 404, type: JSON_TYPE, body: '{"error":"not found"}' }
      : { status: 200, type: JSON_TYPE, body: documentOf(address, found) };
  }
}

/**
 * Fetches from the other registry, each address once. The answers name this registry instead, so
 * that archives come through it too.
 */
function forwarder(upstream, address) {
  const known = new Map();
  const load = async (url, accept) => {
    const answer = await fetch(new URL(url.slice(1), upstream), {
      headers: accept === undefined ? {} : { accept },
    });
    const type = answer.headers.get("content-type") ?? "application/octet-stream";
    const body = type.includes("json")
      ? (await answer.text()).replaceAll(upstream, `${address}/`)
      : Buffer.from(await answer.arrayBuffer());
    return { status: answer.status, type, body };
  };
  return (url, accept) => {
    const key = `${url} ${accept}`;
    if (!known.has(key)) known.set(key, load(url, accept));
    return known.get(key);
  };
}

async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}

/**
 * Starts the registry on a free port.
 *
 * @param archives - Those that it has from the start: file and manifest.
 * @returns Its address, `add` for another archive, the names that were published to it, and
 * `close`.
 */
export async function startRegistry(archives) {
  const npm = capture("npm", ["config", "get", "registry"], { env: cleanEnvironment() });
  const upstream = npm.stdout.trim().replace(/\/?$/, "/");
  const packages = new Packages();
  const add = ({ file, manifest }) => packages.add(manifest, readFileSync(file));
  archives.forEach(add);
  let address;
  let forward;

  const answer = async (request) => {
    const { url, method, headers } = request;
    const path = decodeURIComponent(new URL(url, "http://localhost").pathname).slice(1);
    if (method === "PUT") {
      packages.take(await bodyOf(request));
      return { status: 201, type: JSON_TYPE, body: "{}" };
    }
    // Audits and the like.
    if (method !== "GET") return { status: 404, type: JSON_TYPE, body: "{}" };
    return packages.answer(path, address) ?? forward(url, headers.accept);
  };
  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, type, body }) => response.writeHead(status, { "content-type": type }).end(body),
      (error) => response.writeHead(502).end(String(error)),
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${server.address().port}`;
  forward = forwarder(upstream, address);
  return {
    address,
    add,
    published: packages.published,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
