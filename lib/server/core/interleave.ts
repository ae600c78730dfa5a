// Reads several streams of events as one.
import type { RunEvent } from "./events.js";

/**
 * The events of several sources as they come. A source is asked for its next event only when the
 * one before was taken, so that a slow reader gets fewer and longer events.
 */
export async function* interleave(
  sources: readonly AsyncIterator<RunEvent>[],
): AsyncGenerator<RunEvent> {
  const [only] = sources;
  if (sources.length === 1 && only !== undefined) {
    for (let next = await only.next(); next.done !== true; next = await only.next())
      yield next.value;
    return;
  }
  interface Arrived {
    readonly at: number;
    readonly next: IteratorResult<RunEvent>;
  }
  const nextOf = async (at: number): Promise<Arrived> => ({
    at,
    next: await (sources[at] as AsyncIterator<RunEvent>).next(),
  });
  const ask = (at: number): Promise<Arrived> => {
    const asked = nextOf(at);
    // When one source fails or the reader leaves, nobody waits for the others any more, and a
    // rejection that nobody hears would end the process.
    asked.catch(() => undefined);
    return asked;
  };
  const pending = new Map(sources.map((_, at) => [at, ask(at)]));
  while (pending.size > 0) {
    const { at, next } = await Promise.race(pending.values());
    pending.delete(at);
    if (next.done === true) continue;
    // At the end of the map: sources take turns.
    pending.set(at, ask(at));
    yield next.value;
  }
}
