// Where the Hub is, who asks, and where downloads are kept: options first, then the usual environment variables. Runs on the JavaScript thread.
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type * as Hub from "@huggingface/hub";
import { R1Error } from "../base/errors.js";

type Env = Readonly<Record<string, string | undefined>>;

/** The Hub's own library; loaded when it is needed, since it takes longer than all the rest of the program. */
export const hubLibrary = (): Promise<typeof Hub> => import("@huggingface/hub");

const given = (env: Env, name: string): string | undefined =>
  env[name] === undefined || env[name] === "" ? undefined : env[name];

/** `HF_HOME`, else `huggingface` in the user's cache folder. */
function home(env: Env): string {
  return (
    given(env, "HF_HOME") ??
    join(given(env, "XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface")
  );
}

/** The Hub's cache: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, or `hub` in `HF_HOME`. */
export function cacheFolder(env: Env = process.env): string {
  return (
    given(env, "HF_HUB_CACHE") ?? given(env, "HUGGINGFACE_HUB_CACHE") ?? join(home(env), "hub")
  );
}

/**
 * Address of the Hub: the option, `HF_ENDPOINT`, or the public one; without a slash at the end.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` when it is no http(s) address.
 */
export async function endpointOf(
  option: string | undefined,
  env: Env = process.env,
): Promise<string> {
  const text = option ?? given(env, "HF_ENDPOINT") ?? (await hubLibrary()).HUB_URL;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== "" ||
    url.search !== "" ||
    url.hash !== ""
  ) {
    const name = option === undefined ? "HF_ENDPOINT" : "endpoint";
    throw new R1Error(
      "INVALID_ARGUMENT",
      `Expected an address such as https://host for \`${name}\` but received ${JSON.stringify(text.slice(0, 200))}.`,
      {
        details: { option: name },
      },
    );
  }
  return url.href.replace(/\/+$/, "");
}

/** The access token: the option (false: none), `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, or the file that `huggingface-cli login` writes. */
export async function tokenOf(
  option: string | false | undefined,
  env: Env = process.env,
): Promise<string | undefined> {
  if (option === false) return undefined;
  if (option !== undefined) return option;
  if (given(env, "HF_HUB_DISABLE_IMPLICIT_TOKEN") !== undefined) return undefined;
  const named = given(env, "HF_TOKEN") ?? given(env, "HUGGING_FACE_HUB_TOKEN");
  if (named !== undefined) return named.trim();
  const text = await readFile(
    given(env, "HF_TOKEN_PATH") ?? join(home(env), "token"),
    "utf8",
  ).catch(() => "");
  return text.trim() === "" ? undefined : text.trim();
}
