// Asks an app without a socket, and reads its streams. On the test's thread.

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** One server-sent event. */
export interface Sent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** An app, or whatever answers requests as one. */
export interface Fetches {
  fetch(request: Request): Response | Promise<Response>;
}

/** Sends a request; a body is sent as JSON. */
export async function ask(
  app: Fetches,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await app.fetch(
    new Request(`http://localhost${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The events of a stream; comments are left out. */
export function eventsOf(text: string): Sent[] {
  return text
    .split("\n\n")
    .filter((frame) => frame !== "" && !frame.startsWith(":"))
    .map((frame) => {
      const { event = "", data = "" } =
        /^(?:event: (?<event>[^\n]*)\n)?data: (?<data>[^\n]*)$/.exec(frame)?.groups ?? {};
      return { event, data: JSON.parse(data) as Record<string, unknown> };
    });
}

/** Asks for a stream and reads its events. */
export async function askEvents(app: Fetches, path: string, body: object): Promise<Sent[]> {
  const { text } = await ask(app, "POST", path, { ...body, stream: true });
  return eventsOf(text);
}
