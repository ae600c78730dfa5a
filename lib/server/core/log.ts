// The logger a server writes to, in pino's shape, and what it writes: sizes, times and ids, never a
// text of a request.

/** Any logger with these methods fits, such as one of pino. */
export interface ServerLogger {
  debug?(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Logs nothing. */
export const SILENT: ServerLogger = Object.freeze({
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
});
