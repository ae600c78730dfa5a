// The tests' own way of waiting for what a child writes: no text is missed, whenever it comes.
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { Transcript } from "../fixtures/transcript.js";

describe("waiting for a text", () => {
  it("finds one that came before anybody waited, and one that comes in pieces", async () => {
    const stream = new PassThrough();
    const transcript = new Transcript(stream);
    stream.write("<think>\n");
    await transcript.until("<think>");
    stream.write("\n");
    await transcript.until("\n\n");
    const after = transcript.until(/> $/);
    stream.write("answer\n>");
    stream.write(" ");
    expect(await after).toBe("<think>\n\nanswer\n> ".length);
  });

  it("finds only what comes from a place on", async () => {
    const stream = new PassThrough();
    const transcript = new Transcript(stream);
    stream.write("a> b");
    const first = await transcript.until("> ");
    const second = transcript.until("> ", first);
    stream.end("> ");
    expect([first, await second]).toEqual([3, 6]);
  });

  it("fails once the stream ends without it, and tells what there was", async () => {
    const stream = new PassThrough();
    const transcript = new Transcript(stream);
    const waiting = transcript.until("never");
    stream.end("something else");
    await expect(waiting).rejects.toThrow("something else");
    await expect(transcript.until("never")).rejects.toThrow("never");
  });
});
