// Messages between this process and a child, over a stream that splits and joins its bytes as it
// likes.
import { Duplex, PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Channel } from "../../lib/base/channel.js";

/** What one end writes, as bytes. */
async function written(messages: readonly unknown[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (piece: Buffer, _encoding, done) => {
      pieces.push(piece);
      done();
    },
  });
  const channel = new Channel(stream, () => undefined);
  await Promise.all(messages.map((message) => channel.send(message)));
  return Buffer.concat(pieces);
}

async function read(bytes: Buffer, size: number): Promise<unknown[]> {
  const stream = new PassThrough();
  const messages: unknown[] = [];
  new Channel(stream, (message) => messages.push(message));
  for (let at = 0; at < bytes.length; at += size) stream.write(bytes.subarray(at, at + size));
  await setImmediate();
  return messages;
}

const MESSAGES = [
  null,
  { kind: "events", ids: Int32Array.from([1, -2, 3]), text: "ö世界" },
  "x".repeat(5000),
  new Map([["a", 1n]]),
];

describe("a channel", () => {
  it.each([1, 3, 4, 5, 700, 1e6])(
    "gives each message once, from pieces of %i bytes",
    async (size) => {
      expect(await read(await written(MESSAGES), size)).toEqual(MESSAGES);
    },
  );

  it("drops a message that ends in the middle", async () => {
    const bytes = await written(MESSAGES);
    expect(await read(bytes.subarray(0, -1), 64)).toEqual(MESSAGES.slice(0, -1));
  });

  it("takes no message for a stream that has ended, and rejects nothing", async () => {
    const stream = new PassThrough();
    const channel = new Channel(stream, () => undefined);
    stream.destroy();
    await setImmediate();
    expect(channel.isOpen).toBe(false);
    await channel.send("late");
  });
});
