// Claims about a Hub that cannot be reached: the reader hears of it soon, and it ends where waiting
// cannot help; and about failures in words, none of which holds a secret.
import { describe, expect, it } from "vitest";
import { inspectGguf } from "../../lib/gguf/inspect.js";
import { connectionReason, shown } from "../../lib/hub/failures.js";
import type { RetryNotice } from "../../lib/hub/retry.js";
import { at, failure, onlyBig, pull, useHub } from "./setup.js";
import { freePort } from "../../scripts/free-port.mjs";

useHub();

describe("a Hub", () => {
  it("whose name nobody knows is asked three times, and each wait is announced", async () => {
    const notices: RetryNotice[] = [];
    const error = await failure(
      pull({ endpoint: "http://hub.invalid", onRetry: (notice) => notices.push(notice) }),
    );
    expect(error.code).toBe("NETWORK_FAILED");
    expect(error.message).toContain("hub.invalid");
    const { reason } = notices[0] ?? {};
    // Some machines answer at once that they know no such name, some that nobody could be asked.
    expect(["no such host", "the name server does not answer"]).toContain(reason);
    if (reason === "no such host")
      expect(notices).toMatchObject([
        { host: "hub.invalid", attempt: 2, attempts: 3 },
        { host: "hub.invalid", attempt: 3, attempts: 3 },
      ]);
  });

  it("that refuses connections is asked three times", async () => {
    const notices: RetryNotice[] = [];
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const error = await failure(pull({ endpoint, onRetry: (notice) => notices.push(notice) }));
    expect(error.message).toContain("the connection was refused");
    expect(error.message).toContain("HTTPS_PROXY");
    expect(notices.map(({ attempt, attempts }) => [attempt, attempts])).toEqual([
      [2, 3],
      [3, 3],
    ]);
  });

  it("on a port that no request may go to is asked once", async () => {
    const notices: RetryNotice[] = [];
    const error = await failure(
      pull({ endpoint: "http://127.0.0.1:1", onRetry: (notice) => notices.push(notice) }),
    );
    expect(error.message).toContain("Check the address");
    expect(notices).toEqual([]);
  });

  it("that goes away in the middle is waited for with all patience", async () => {
    const notices: RetryNotice[] = [];
    const { hub } = at;
    let isGone = false;
    hub.fault = ({ count }) => {
      if (count < 3 || isGone) return undefined;
      isGone = true;
      // From the next request on nobody listens there.
      void hub.stop();
      return { kind: "cut", after: 10 };
    };
    const error = await failure(
      pull({ ...onlyBig, retries: 4, parallel: 1, onRetry: (notice) => notices.push(notice) }),
    );
    expect(error.code).toBe("NETWORK_FAILED");
    expect(notices.every(({ attempts }) => attempts === 5)).toBe(true);
    expect(notices.at(-1)?.attempt).toBe(5);
  });

  it("that asks for patience is announced with the wait that it asked for", async () => {
    const notices: RetryNotice[] = [];
    at.hub.apiFault = (_url, count) =>
      count === 1 ? { status: 429, headers: { "retry-after": "0" } } : undefined;
    await pull({ ...onlyBig, onRetry: (notice) => notices.push(notice) });
    expect(notices[0]).toMatchObject({ reason: "HTTP 429", waitMs: 0, attempt: 2, attempts: 7 });
  });
});

it("what a notice's callback throws ends the download", async () => {
  const thrown = new Error("enough");
  const caught: unknown = await pull({
    endpoint: "http://hub.invalid",
    onRetry: () => {
      throw thrown;
    },
  }).catch((error: unknown) => error);
  expect(caught).toBe(thrown);
});

describe("words of a failure", () => {
  it("hold no query, user or password of an address", () => {
    expect(shown("https://ann:secret@host/a/b?signature=secret#secret")).toBe("https://host/a/b");
    expect(shown("http://host:80/a@b/c")).toBe("http://host:80/a@b/c");
  });

  it("hold nothing of a header that cannot be sent", async () => {
    const url = `${at.hub.endpoint}/x.gguf`;
    const headers = { authorization: "Bearer SECRET\nSECRET" };
    const error = await failure(inspectGguf(url, { headers }));
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain("SECRET");
  });

  it("hold no password of an address that fetch refuses", async () => {
    const error = await failure(inspectGguf("http://ann:SECRET@127.0.0.1:9/x.gguf?token=SECRET"));
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain("SECRET");
  });

  it("are there for errors without a message", () => {
    const refused = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });
    expect(connectionReason(new TypeError("fetch failed", { cause: refused }))).toBe(
      "the connection was refused",
    );
    expect(connectionReason("odd")).toBe("odd");
  });
});

describe("a file of a name that not every system can have", () => {
  const odd = {
    "notes\\draft.txt": Buffer.from("x"),
    [`${"y".repeat(245)}.txt`]: Buffer.from("y"),
  };

  it("is no hindrance to the others", async () => {
    at.hub.commit({ "a-Q8_0.gguf": Buffer.alloc(5000, 1), ...odd });
    expect((await pull(onlyBig)).files.map(({ name }) => name)).toEqual(["a-Q8_0.gguf"]);
  });

  it("is refused by name when it is wanted, before anything is fetched", async () => {
    at.hub.commit({ "a-Q8_0.gguf": Buffer.alloc(5000, 1), ...odd });
    const error = await failure(pull());
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toContain("draft.txt");
    expect(at.hub.sentBytes).toBe(0);
  });
});
