// Where the snippets of the documents run: a folder with the packed package installed, and a Hub
// whose every repository holds the small model. Runs in the test process.
import { execFile } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { splitGguf } from "../../dist/files.js";
import { ownPlatform } from "../../scripts/packages/targets.mjs";
import { FakeHub, type Files } from "../hub/fake-hub.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const tinyModel = join(root, "models", "tiny-r1.gguf");
const run = promisify(execFile);
const PROJECT = '{ "private": true, "type": "module" }\n';

/** A folder of its own for each page, below one installation of the package. */
export interface Workplace {
  readonly env: Record<string, string>;
  folderOf(page: string): string;
  close(): Promise<void>;
}

/** Unpacks the archives of `npm run packages` as npm does. */
async function unpackPackages(folder: string, modules: string): Promise<void> {
  const archives = join(folder, "archives");
  await run(
    process.execPath,
    [join(root, "scripts/packages.mjs"), "--own-build", "--out", archives],
    { cwd: root },
  );
  const platform = ownPlatform();
  const ofPlatform = new RegExp(`^r1-native-${platform}-\\d.*\\.tgz$`);
  for (const archive of readdirSync(archives)) {
    // There may be packages of other platforms, which were built in prebuilds/.
    const isMain = /^r1-native-\d.*\.tgz$/.test(archive);
    if (!isMain && !ofPlatform.test(archive)) continue;
    const place = isMain ? join(modules, "r1-native") : join(modules, "@r1-native", platform);
    mkdirSync(place, { recursive: true });
    await run("tar", ["-xzf", join(archives, archive), "-C", place, "--strip-components=1"]);
  }
}

/** Puts the package into a folder, beside what it depends on. */
async function install(folder: string): Promise<void> {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  // Quick, to try a snippet: the build in this folder as it stands.
  const command = join(modules, ".bin", "r1-native");
  if (process.env["R1_SNIPPETS_BUILD"] === "1") {
    symlinkSync(root, join(modules, "r1-native"));
    writeFileSync(command, `#!/bin/sh\nexec node "${root}/dist/cli/main.js" "$@"\n`, {
      mode: 0o755,
    });
  } else {
    await unpackPackages(folder, modules);
    symlinkSync("../r1-native/dist/cli/main.js", command);
  }
  for (const name of readdirSync(join(root, "node_modules")))
    if (!name.startsWith(".")) symlinkSync(join(root, "node_modules", name), join(modules, name));
  writeFileSync(join(folder, "package.json"), PROJECT);
}

/** The small model as a whole file and as the three parts of the full model. */
async function modelFiles(folder: string): Promise<Files> {
  const prefix = join(folder, "parts", "DeepSeek-R1-UD-IQ1_S");
  mkdirSync(join(folder, "parts"));
  await splitGguf(tinyModel, prefix, { maxTensors: 20 });
  const parts = readdirSync(join(folder, "parts")).map((name) => [
    `DeepSeek-R1-UD-IQ1_S/${name}`,
    readFileSync(join(folder, "parts", name)),
  ]);
  return {
    ...(Object.fromEntries(parts) as Files),
    "DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf": readFileSync(tinyModel),
  };
}

/** A Hub on which every repository is the one of {@link FakeHub}. */
async function everyRepository(hub: FakeHub): Promise<{ url: string; close: () => void }> {
  const front = createServer((incoming, outgoing) => {
    const path = (incoming.url ?? "").replace(
      /^(\/api\/models)?\/[^/]+\/[^/]+\//,
      (_, api: string | undefined) => `${api ?? ""}/${hub.repo}/`,
    );
    const { host: _host, ...headers } = incoming.headers;
    request(`${hub.endpoint}${path}`, { method: incoming.method ?? "GET", headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    }).end();
  });
  await new Promise<void>((done) => front.listen(0, "127.0.0.1", done));
  const { port } = front.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      front.closeAllConnections();
      front.close();
    },
  };
}

/** Installs the package and starts the Hub. */
export async function openWorkplace(): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), "r1-snippets-"));
  await install(folder);
  const hub = await new FakeHub().start();
  hub.commit(await modelFiles(folder));
  const front = await everyRepository(hub);
  const home = join(folder, "home");
  mkdirSync(home);
  const { PATH = "", LANG = "C.UTF-8", TMPDIR = tmpdir() } = process.env;
  return {
    env: {
      PATH: `${join(folder, "node_modules", ".bin")}:${PATH}`,
      LANG,
      TMPDIR,
      HOME: home,
      HF_ENDPOINT: front.url,
      NO_COLOR: "1",
      npm_config_offline: "true",
      npm_config_update_notifier: "false",
    },
    folderOf(page) {
      const own = join(folder, "pages", page.replaceAll(/\W+/g, "-"));
      mkdirSync(own, { recursive: true });
      // A project of its own: a command of npm changes the page's folder, not the installation.
      writeFileSync(join(own, "package.json"), PROJECT);
      return own;
    },
    async close() {
      front.close();
      await hub.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Puts a file that a page expects into its folder: the small model, or a file of examples/. */
export function give(folder: string, name: string): void {
  const [to = "", from] = name.split(" = ");
  copyFileSync(from === undefined ? tinyModel : join(root, from), join(folder, to));
}
