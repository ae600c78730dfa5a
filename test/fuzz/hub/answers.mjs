// Random HTTP answers for the fuzzer of the Hub's client, some of them no HTTP at all. Pure.

const ODD = [
  null,
  true,
  -1,
  0,
  1.5,
  2 ** 53,
  "",
  "x",
  "../../x",
  "/etc/passwd",
  "\0",
  "a\\b",
  [],
  {},
  [[]],
];

/** JSON with one to three changes anywhere in it. */
export function alteredJson(value, random) {
  const copy = JSON.parse(JSON.stringify(value));
  for (let i = random.between(1, 3); i > 0; i--) {
    const places = [];
    const look = (at) => {
      for (const key of Object.keys(at)) {
        places.push([at, key]);
        if (at[key] !== null && typeof at[key] === "object") look(at[key]);
      }
    };
    look(copy);
    if (places.length === 0) break;
    const [at, key] = random.pick(places);
    const old = at[key];
    if (random.oneIn(4)) delete at[key];
    else if (typeof old === "string" && random.oneIn(2))
      at[key] = random.pick([
        `${old}x`,
        old.slice(1),
        old.toUpperCase(),
        old.repeat(300),
        `../${old}`,
      ]);
    else if (typeof old === "number" && random.oneIn(2))
      at[key] = random.pick([old + 1, old - 1, -old, old * 2 ** 40, `${old}`]);
    else at[key] = random.pick(ODD);
  }
  return random.oneIn(12) ? random.pick(ODD) : copy;
}

const CONTENT_RANGES = [
  "bytes */*",
  "bytes 0-0/1",
  "bytes 0-9/*",
  "bytes 5-4/10",
  "bytes -1-5/10",
  "bytes 0-99999999999999999999/99999999999999999999",
  "items 0-9/10",
  "bytes",
  "",
  "bytes 0-9/10, bytes 20-29/10",
];

/** Headers of a file's answer, changed. `range`: first, last and size of the right answer. */
export function alteredHeaders(headers, random) {
  const copy = { ...headers };
  for (let i = random.between(1, 2); i > 0; i--)
    switch (random.below(7)) {
      case 0:
        copy["content-range"] = random.pick(CONTENT_RANGES);
        break;
      case 1:
        delete copy["content-range"];
        break;
      case 2:
        copy["content-length"] = random.pick([0, 1, 10, 2 ** 40, "x", -5]);
        break;
      case 3:
        copy["content-encoding"] = random.pick(["gzip", "br", "identity", "no-such"]);
        break;
      case 4:
        copy["transfer-encoding"] = "chunked";
        delete copy["content-length"];
        break;
      case 5:
        copy.etag = random.pick(['""', '"x"', "W/", "\u00e9", '"x", "y"']);
        break;
      default:
        copy["retry-after"] = random.pick(["0", "-1", "x", "Wed, 21 Oct 2015 07:28:00 GMT"]);
    }
  return copy;
}

export const STATUSES = [
  100, 200, 201, 204, 205, 206, 207, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 407, 408,
  410, 416, 418, 425, 429, 451, 500, 502, 503, 504, 511, 599, 999,
];

/** Where a redirect may lead. `self`: this Hub; `other`: another host. */
export const locations = (self, other) => [
  `${self}/loop`,
  `${other}/x`,
  "/loop",
  "//",
  "http://",
  "http://127.0.0.1:1/",
  "file:///etc/passwd",
  "data:text/plain,x",
  "javascript:1",
  "ftp://localhost/x",
  "http://[::1",
  "http://user:secret@127.0.0.1:1/",
  "",
  "?x",
  "x".repeat(9000),
];

/** Bytes that are no HTTP, or only the beginning of it. */
export const NOT_HTTP = [
  "",
  "\r\n\r\n",
  "HTTP/1.1",
  "HTTP/1.1 200\r\n",
  "HTTP/1.1 2x0 OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
  "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
  `HTTP/1.1 200 OK\r\nX: ${"y".repeat(20_000)}\r\n\r\n`,
  "SSH-2.0-OpenSSH\r\n",
  "\x16\x03\x01\x00\x05",
];
