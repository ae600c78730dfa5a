// Downloads one npm package by name and checks it against the integrity in a lock file.
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { BuildError, capture } from "./process.mjs";

/**
 * npm settings for reaching a registry. All others belong to the npm that called us (`--dry-run`, a
 * prefix, a workspace) and are not passed on.
 */
const NPM_NETWORK =
  /^npm_config_(registry|proxy|https?_proxy|noproxy|ca|cafile|cert|key|strict_ssl|userconfig|globalconfig|cache|offline|prefer_offline|prefer_online|fetch_.*|maxsockets|local_address)$/i;

function pack(lock, into, advice) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || NPM_NETWORK.test(name)),
  );
  const cli = process.env.npm_execpath;
  const [command, first] =
    cli?.endsWith("npm-cli.js") && existsSync(cli) ? [process.execPath, [cli]] : ["npm", []];
  const run = capture(
    command,
    [
      ...first,
      "pack",
      lock.package,
      "--ignore-scripts",
      "--loglevel=error",
      "--pack-destination",
      into,
    ],
    { cwd: into, env },
  );
  if (run.missing)
    throw new BuildError(
      "npm was not found; it comes with Node, so put Node's bin folder on PATH.",
    );
  const file = readdirSync(into).find((name) => name.endsWith(".tgz"));
  if (run.ok && file !== undefined) return join(into, file);
  const why = /npm error (?:code )?(E[A-Z0-9]+|.*)/.exec(run.stderr)?.[1] ?? "no reason given";
  throw new BuildError(
    `could not download ${lock.package} (${why}); check the network and the registry of npm${advice}.`,
  );
}

async function checkIntegrity(lock, lockName, file) {
  const [algorithm] = lock.integrity.split("-", 1);
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  const found = `${algorithm}-${hash.digest("base64")}`;
  if (found === lock.integrity) return;
  throw new BuildError(
    `${lock.package} is not the file that ${lockName} names (its integrity is ${found}), so nothing of it was used.`,
  );
}

/**
 * Puts the package's archive into a folder and returns its path. `lock` has `package`
 * (name@version) and `integrity`; `lockName` is its file, for messages; `advice` is what else the
 * user can do without a network.
 */
export async function fetchPackage(lock, { into, lockName, advice = "" }) {
  const file = pack(lock, into, advice);
  await checkIntegrity(lock, lockName, file);
  return file;
}
