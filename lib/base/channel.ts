// Sends JavaScript values between this process and a child over a byte stream; the child's end is
// descriptor 3. Each value is sent as its length in bytes (4 bytes, little endian) followed by its
// bytes as V8 serializes them, so that typed arrays and maps are preserved.
import { createReadStream, createWriteStream } from "node:fs";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { deserialize, serialize } from "node:v8";

const HEADER = 4;

/** The descriptor that connects a child with its parent. */
const LINK = 3;

/** One end of a connection. `In` and `Out` are the messages that this end receives and sends. */
export class Channel<In, Out> {
  readonly #stream: Duplex;
  #pieces: Buffer[] = [];
  #length = 0;

  /**
   * @param onMessage - Called with each message, in order.
   */
  constructor(stream: Duplex, onMessage: (message: In) => void) {
    this.#stream = stream;
    stream.on("data", (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#length += piece.length;
      for (let bytes = this.#take(); bytes !== undefined; bytes = this.#take())
        onMessage(deserialize(bytes) as In);
    });
    // The other process ended; "close" reports that.
    stream.on("error", () => undefined);
  }

  get isOpen(): boolean {
    return this.#stream.writable;
  }

  /**
   * Resolves when the message is sent, or is lost because the other end is gone.
   *
   * @throws the error of `v8.serialize` for a value that cannot be copied.
   */
  send(message: Out): Promise<void> {
    const bytes = serialize(message);
    if (!this.isOpen) return Promise.resolve();
    const header = Buffer.allocUnsafe(HEADER);
    header.writeUInt32LE(bytes.length);
    return new Promise((resolve) => {
      this.#stream.cork();
      this.#stream.write(header);
      this.#stream.write(bytes, () => resolve());
      this.#stream.uncork();
    });
  }

  /** Removes and returns the next message if all its bytes have arrived. */
  #take(): Buffer | undefined {
    if (this.#length < HEADER) return undefined;
    if ((this.#pieces[0] as Buffer).length < HEADER) this.#join();
    const end = HEADER + (this.#pieces[0] as Buffer).readUInt32LE(0);
    if (this.#length < end) return undefined;
    if ((this.#pieces[0] as Buffer).length < end) this.#join();
    const first = this.#pieces[0] as Buffer;
    if (first.length === end) this.#pieces.shift();
    else this.#pieces[0] = first.subarray(end);
    this.#length -= end;
    return first.subarray(HEADER, end);
  }

  #join(): void {
    this.#pieces = [Buffer.concat(this.#pieces)];
  }
}

/** Bun's sockets cannot take a descriptor over; its files can. */
function openAsFile(onEnd: () => void): Duplex {
  const readable = createReadStream("", { fd: LINK, autoClose: false });
  const writable = createWriteStream("", { fd: LINK, autoClose: false });
  readable.once("end", onEnd);
  return Duplex.from({ readable, writable });
}

function openAsSocket(onEnd: () => void): Duplex {
  return new Socket({ fd: LINK, readable: true, writable: true }).once("close", onEnd);
}

/**
 * In a child: opens the connection with its parent. It keeps the child alive until the parent is
 * gone.
 *
 * @param onEnd - Called when the parent is gone.
 */
export function parentChannel<In, Out>(
  onMessage: (message: In) => void,
  onEnd: () => void,
): Channel<In, Out> {
  const open = process.versions["bun"] === undefined ? openAsSocket : openAsFile;
  return new Channel(open(onEnd), onMessage);
}
