// Finds the Hub's address, the access token and the download folders: from options first, then from
// the usual environment variables.
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type * as Hub from "@huggingface/hub";
import { R1Error } from "../base/errors.js";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The Hub's own library, loaded when needed: loading it takes longer than loading the rest of the
 * program.
 */
export const hubLibrary = (): Promise<typeof Hub> => import("@huggingface/hub");

const given = (env: Env, name: string): string | undefined =>
  env[name] === undefined || env[name] === "" ? undefined : env[name];

/**
 * Expands a folder from a settings file, where no shell expands it: `~` at the start is the user's
 * folder, and `$NAME` and `${NAME}` are variables. Unknown variables stay unchanged.
 *
 * @param env - Variables to expand; none for folders that do not come from the environment.
 */
export function expandPlace(place: string, env: Env): string {
  const named = place.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (whole, braced: string | undefined, bare: string | undefined) =>
      env[braced ?? bare ?? ""] ?? whole,
  );
  return named === "~" || /^~[/\\]/.test(named) ? join(homedir(), named.slice(1)) : named;
}

/** Returns the folder in a variable. */
function placeOf(env: Env, name: string): string | undefined {
  const text = given(env, name);
  return text === undefined ? undefined : expandPlace(text, env);
}

/** Whether a text can be sent as an access token. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** `HF_HOME`, else `huggingface` in the user's cache folder. */
function home(env: Env): string {
  return (
    placeOf(env, "HF_HOME") ??
    join(placeOf(env, "XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface")
  );
}

/** The Hub's cache: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, or `hub` in `HF_HOME`. */
export function cacheFolder(env: Env = process.env): string {
  return (
    placeOf(env, "HF_HUB_CACHE") ?? placeOf(env, "HUGGINGFACE_HUB_CACHE") ?? join(home(env), "hub")
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
    // The text before an @ may be a password.
    const received = text.includes("@")
      ? "an address with a user or password in it (give a token by `HF_TOKEN`)"
      : JSON.stringify(text.slice(0, 200));
    throw new R1Error(
      "INVALID_ARGUMENT",
      `Expected an address such as https://host for \`${name}\` but received ${received}.`,
      {
        details: { option: name },
      },
    );
  }
  return url.href.replace(/\/+$/, "");
}

/**
 * The access token: the option (false: none), `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, or the file
 * that `huggingface-cli login` writes.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` for text that no request can carry; the text is not in it.
 */
export async function tokenOf(
  option: string | false | undefined,
  env: Env = process.env,
): Promise<string | undefined> {
  if (option === false) return undefined;
  if (option !== undefined) return option;
  if (given(env, "HF_HUB_DISABLE_IMPLICIT_TOKEN") !== undefined) return undefined;
  for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]) {
    const named = given(env, name)?.trim();
    if (named !== undefined && named !== "") return checkedToken(named, name);
  }
  const file = placeOf(env, "HF_TOKEN_PATH") ?? join(home(env), "token");
  const text = (await readFile(file, "utf8").catch(() => "")).trim();
  return text === "" ? undefined : checkedToken(text, file);
}

function checkedToken(text: string, where: string): string {
  if (isToken(text)) return text;
  throw new R1Error(
    "INVALID_ARGUMENT",
    `The access token in ${where} holds characters that no token has, such as a line break. ` +
      "Write the token there alone, without quotes.",
    { details: { option: where } },
  );
}
