// HTTPS with a key and a certificate that are made here.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isR1Error } from "../../lib/index.js";
import { createApp, serve } from "../../lib/server.js";
import { testApp } from "./app.js";
import type { TestApp } from "./app.js";

const folder = mkdtempSync(join(tmpdir(), "r1-tls-"));
const file = (name: string): string => join(folder, name);

/** Makes a key and a certificate of itself for localhost. */
function makeCertificate(name: string): void {
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const files = ["-keyout", file(`${name}.key`), "-out", file(`${name}.crt`)];
  execFileSync("openssl", [...args, "-nodes", "-days", "2", ...names, ...files], {
    stdio: "ignore",
  });
}

let made: TestApp;
beforeAll(async () => {
  makeCertificate("one");
  makeCertificate("two");
  made = await testApp();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await made[Symbol.asyncDispose]();
});

test("answers over HTTPS to a client that knows the certificate", async () => {
  const server = await serve(made.app, {
    port: 0,
    tlsKeyFile: file("one.key"),
    tlsCertFile: file("one.crt"),
  });
  expect(server.url).toMatch(/^https:/);
  const ask = async (ca: string): Promise<number | undefined> => {
    const client = get(`${server.url}/health`, { ca: readFileSync(file(ca)), agent: false });
    const [response] = (await once(client, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  expect(await ask("one.crt")).toBe(200);
  await expect(ask("two.crt")).rejects.toThrow(/certificate/);
  await server.close();
});

test.each([
  ["a key of another certificate", "one.key", "two.crt", "INVALID_ARGUMENT"],
  ["a file that is missing", "none.key", "one.crt", "FILE_UNREADABLE"],
  ["what is no key", "text.key", "one.crt", "INVALID_ARGUMENT"],
  ["a key alone", "one.key", undefined, "INVALID_ARGUMENT"],
] as const)("refuses %s", async (_what, key, cert, code) => {
  writeFileSync(file("text.key"), "no key\n");
  const refused = await serve(createApp({ r1: made.model }), {
    port: 0,
    tlsKeyFile: file(key),
    tlsCertFile: cert === undefined ? undefined : file(cert),
  }).catch((error: unknown) => error);
  expect(isR1Error(refused, code)).toBe(true);
});
