// Addresses of queues: what they mean, and that no message holds a password.
import { describe, expect, it } from "vitest";
import { parseAddress, withoutSecrets } from "../../lib/queue/address.js";

const failureOf = (value: unknown): Error => {
  try {
    parseAddress(value);
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
};

describe("the address of a queue", () => {
  it("has its parts, and is shown without user, password and parameters", () => {
    expect(parseAddress("redis://me:s%40crt@host:7000/3")).toEqual({
      kind: "redis",
      shown: "redis://host:7000/3",
      host: "host",
      port: 7000,
      username: "me",
      password: "s@crt",
      db: 3,
      isTls: false,
    });
    expect(parseAddress("rediss://[::1]")).toMatchObject({ host: "::1", port: 6379, isTls: true });
    const { shown } = parseAddress("postgres://me:secret@host/rows?sslpassword=hidden");
    expect(shown).toBe("postgres://host/rows");
  });

  it.each([
    "host:6379",
    "http://me:topsecret@host",
    "redis://me:topsecret@host/words",
    "redis://me:topsecret%ZZ@host",
    "redis://:topsecret@:1",
    42,
    undefined,
  ])("is refused without being shown: %s", (value) => {
    const error = failureOf(value);
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(JSON.stringify([error.message, error])).not.toContain("topsecret");
  });

  it("is taken out of what drivers say", () => {
    const redis = parseAddress("redis://:s3cr%40t@host");
    expect(withoutSecrets("AUTH s3cr@t failed at redis://:x@host", redis)).toBe(
      "AUTH *** failed at redis://***@host",
    );
    const postgres = parseAddress("postgres://me:s3cr%40t@host/db");
    for (const said of ["s3cr@t", "s3cr%40t", "postgres://me:s3cr%40t@host/db"])
      expect(withoutSecrets(`no: ${said}`, postgres)).toBe("no: ***");
  });
});
