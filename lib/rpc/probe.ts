// Checks RPC servers before llama.cpp connects: llama.cpp would wait without limit, and would end
// the process after a wrong answer. Asynchronous.
import { lookup } from "node:dns";
import { connect } from "node:net";
import { R1Error } from "../base/errors.js";
import type { R1ErrorCode } from "../base/errors.js";
import type { Endpoint } from "./endpoint.js";

/**
 * Time in which a server must answer, including name look-up and connection. Unit: milliseconds.
 */
const ANSWER_MS = 2500;

/**
 * The protocol of llama.cpp v0.5.0, as it greets: a command byte, the length of the body, a body of
 * capabilities (none); answered by a length and a body that begins with the version.
 */
const HELLO = 14;
const CAPABILITIES_BYTES = 24;
const ANSWER_BODY_BYTES = 4 + CAPABILITIES_BYTES;
const ANSWER_BYTES = 8 + ANSWER_BODY_BYTES;
/** A client's next request: the number of devices. Some programs greet and then stay silent. */
const DEVICE_COUNT = 15;
const COUNT_BODY_BYTES = 4;
const COUNT_BYTES = 8 + COUNT_BODY_BYTES;
const MAJOR = 7;
const MINOR = 0;

function greeting(): Buffer {
  const bytes = Buffer.alloc(1 + 8 + CAPABILITIES_BYTES);
  bytes.writeUInt8(HELLO, 0);
  bytes.writeBigUInt64LE(BigInt(CAPABILITIES_BYTES), 1);
  return bytes;
}

function failure(
  code: R1ErrorCode,
  { text }: Endpoint,
  what: string,
  next: string,
  reason: string,
  cause?: unknown,
): R1Error {
  return new R1Error(code, `The RPC server ${text} ${what}. ${next}`, {
    details: { server: text, reason },
    ...(cause === undefined ? {} : { cause }),
  });
}

function question(): Buffer {
  const bytes = Buffer.alloc(1 + 8);
  bytes.writeUInt8(DEVICE_COUNT, 0);
  return bytes;
}

/** Whether the start of an answer announces a body of this length, as far as it has arrived. */
function hasLength(bytes: Buffer, bodyBytes: number): boolean {
  const expected = Buffer.alloc(8);
  expected.writeBigUInt64LE(BigInt(bodyBytes));
  const seen = Math.min(8, bytes.length);
  return bytes.subarray(0, seen).equals(expected.subarray(0, seen));
}

/** Checks the first bytes of an answer; undefined if nothing is wrong (yet). */
function judge(bytes: Buffer, endpoint: Endpoint): R1Error | undefined {
  const count = bytes.subarray(ANSWER_BYTES);
  if (!hasLength(bytes, ANSWER_BODY_BYTES) || !hasLength(count, COUNT_BODY_BYTES)) {
    return failure(
      "RPC_INVALID",
      endpoint,
      "answers, but not as an rpc-server does",
      "Check the port: something else listens there.",
      "protocol",
    );
  }
  if (bytes.length < ANSWER_BYTES) return undefined;
  const [major = 0, minor = 0, patch = 0] = bytes.subarray(8, 11);
  if (major === MAJOR && minor <= MINOR) return undefined;
  const next = `This is r1-native with protocol ${MAJOR}.${MINOR}: run the same version of r1-native, or of llama.cpp, on both machines.`;
  return failure(
    "RPC_INVALID",
    endpoint,
    `speaks version ${major}.${minor}.${patch} of the protocol`,
    next,
    "version",
  );
}

const START_ONE =
  "Check that `r1-native rpc-server` is running there and listens on that address (--host), " +
  "and that no firewall blocks it.";

/** @throws {R1Error} `RPC_UNREACHABLE`, `RPC_BUSY`, `RPC_INVALID`; the signal's reason. */
function probe(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let isConnected = false;
    let hasAsked = false;
    // llama.cpp looks names up as IPv4 only.
    const socket = connect({
      host: endpoint.host,
      port: endpoint.port,
      lookup: (name, options, done) => lookup(name, { ...options, family: 4 }, done),
    });
    const timer = setTimeout(() => {
      const seconds = ANSWER_MS / 1000;
      settle(
        isConnected
          ? failure(
              "RPC_BUSY",
              endpoint,
              hasAsked
                ? `greeted and then said nothing for ${seconds} s`
                : `took the connection and said nothing for ${seconds} s`,
              "An rpc-server serves one client at a time: another model is using it, or something else listens there. Close that model, or start one server for each.",
              "silent",
            )
          : failure(
              "RPC_UNREACHABLE",
              endpoint,
              `did not take the connection within ${seconds} s`,
              START_ONE,
              "timeout",
            ),
      );
    }, ANSWER_MS);
    const abort = (): void => settle(signal?.reason);
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      socket.destroy();
      if (error === undefined) resolve();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the platform's way: the signal's reason as it is
      else reject(error);
    };
    signal?.addEventListener("abort", abort, { once: true });
    socket.on("connect", () => {
      isConnected = true;
      socket.write(greeting());
    });
    socket.on("data", (bytes) => {
      received = Buffer.concat([received, bytes]);
      const wrong = judge(received, endpoint);
      if (wrong !== undefined) settle(wrong);
      else if (received.length >= ANSWER_BYTES + COUNT_BYTES) settle();
      else if (received.length >= ANSWER_BYTES && !hasAsked) {
        hasAsked = true;
        socket.write(question());
      }
    });
    const closed = (cause?: unknown): R1Error =>
      failure(
        "RPC_INVALID",
        endpoint,
        "closed the connection without an answer",
        "It is no rpc-server, or one of another version: run the same version on both machines.",
        "closed",
        cause,
      );
    socket.on("end", () => settle(closed()));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const { code = "" } = error;
      if (isConnected) settle(closed(error));
      else if (code === "ECONNREFUSED")
        settle(
          failure(
            "RPC_UNREACHABLE",
            endpoint,
            "refused the connection",
            START_ONE,
            "refused",
            error,
          ),
        );
      else if (error.syscall === "getaddrinfo")
        settle(
          failure(
            "RPC_UNREACHABLE",
            endpoint,
            "has an unknown host name",
            "Check the name, or give the IPv4 address.",
            "unresolved",
            error,
          ),
        );
      else
        settle(
          failure(
            "RPC_UNREACHABLE",
            endpoint,
            `cannot be reached (${code})`,
            START_ONE,
            "unreachable",
            error,
          ),
        );
    });
  });
}

/**
 * Greets all servers at the same time.
 *
 * @throws {R1Error} within 3 s, for the first faulty server in order: `RPC_UNREACHABLE` (refused,
 * unknown name, no route), `RPC_BUSY` (accepts the connection and is silent: it serves another
 * client), `RPC_INVALID` (another program, or another version); the signal's reason.
 */
export async function probeServers(
  endpoints: readonly Endpoint[],
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const outcomes = await Promise.allSettled(endpoints.map((endpoint) => probe(endpoint, signal)));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
