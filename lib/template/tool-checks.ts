// Compiles the checks of tools' arguments: small schemas at once, others in slices, so that the
// event loop is free in between.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Awaitable } from "../base/awaitable.js";
import { R1Error } from "../base/errors.js";
import { compileSchema, MAX_SCHEMA, type SchemaCheck } from "../base/schema/json-schema.js";
import type { Schema } from "../base/schema/types.js";

/**
 * Total size of the schemas of one request that are compiled at once. Unit: UTF-16 code units of
 * JSON.
 */
const SMALL = 8192;
/** Maximum time without a turn of the event loop. Unit: milliseconds. */
const SLICE_MS = 4;

/** The check of a schema, compiled when it is first needed. */
export class LazyCheck {
  #compiled: SchemaCheck | undefined;

  constructor(
    private readonly schema: Schema,
    private readonly path: string,
    /** Length of the schema. Unit: UTF-16 code units of JSON. */
    readonly size: number,
  ) {}

  /** @throws {R1Error} `SCHEMA_UNSUPPORTED` */
  compile(): SchemaCheck {
    return (this.#compiled ??= compileSchema(this.schema, this.path));
  }
}

/** The limit on the total size of the schemas of one request's tools. */
export class SchemaRoom {
  #taken = 0;

  constructor(private readonly path: string) {}

  /**
   * @throws {R1Error} `SCHEMA_UNSUPPORTED` when the limit is exceeded, before later tools are
   * checked.
   */
  take(size: number): void {
    this.#taken += size;
    if (this.#taken > MAX_SCHEMA)
      throw new R1Error(
        "SCHEMA_UNSUPPORTED",
        `The schemas of \`${this.path}\` have together more than ${MAX_SCHEMA} characters of ` +
          "JSON, which is the limit. Offer fewer tools, or shorten their schemas.",
        { details: { path: this.path } },
      );
  }
}

/** The checks of one request's tools. */
export class ToolChecks {
  #left: readonly LazyCheck[];

  /**
   * @throws {R1Error} `SCHEMA_UNSUPPORTED` if the schemas are small in total and one is invalid.
   */
  constructor(checks: readonly LazyCheck[]) {
    this.#left = checks;
    if (checks.reduce((sum, one) => sum + one.size, 0) <= SMALL) this.compile();
  }

  /**
   * Compiles the remaining checks synchronously.
   * @throws {R1Error} `SCHEMA_UNSUPPORTED`
   */
  compile(): void {
    for (const check of this.#left) check.compile();
    this.#left = [];
  }

  /**
   * Compiles the remaining checks in slices.
   *
   * @param isNeeded - Returns whether the result is still needed.
   * @throws {R1Error} rejects with `SCHEMA_UNSUPPORTED`.
   */
  compileSoon(isNeeded: () => boolean): Awaitable<void> {
    if (this.#left.length > 0) return this.#compileInSlices(isNeeded);
  }

  async #compileInSlices(isNeeded: () => boolean): Promise<void> {
    await nextTurn();
    let started = performance.now();
    for (const check of this.#left) {
      check.compile();
      if (performance.now() - started < SLICE_MS) continue;
      await nextTurn();
      if (!isNeeded()) return;
      started = performance.now();
    }
    this.#left = [];
  }
}
