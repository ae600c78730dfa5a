// The JSON that commands write for other programs: one object, with the name and version of its
// schema. Pure.

/**
 * The version of each kind of report. It is raised when a field changes its meaning or goes away;
 * new fields do not raise it.
 */
const VERSIONS = Object.freeze({
  "batch-collect": 1,
  "batch-export": 1,
  "batch-merge": 1,
  "batch-progress": 1,
  "batch-remove-queue": 1,
  "batch-stats": 1,
  bench: 1,
  config: 1,
  devices: 1,
  doctor: 1,
  imatrix: 1,
  inspect: 1,
  merge: 1,
  plan: 1,
  pull: 1,
  quantize: 1,
  quants: 1,
  result: 1,
  "result-stream": 1,
  split: 1,
  version: 1,
});

/** The kinds of reports. */
export type ReportKind = keyof typeof VERSIONS;

/** The kinds of reports, for the manual's test. */
export const REPORT_KINDS: readonly string[] = Object.freeze(Object.keys(VERSIONS));

/** The name of a report's schema, such as `r1-native.plan/1`. */
export const schemaOf = (kind: ReportKind): string => `r1-native.${kind}/${VERSIONS[kind]}`;

/** JSON knows no bigint; metadata of files has some. Typed arrays become arrays. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value;
}

/**
 * A report as JSON text that is safe for a terminal too: JSON itself allows DEL and the control
 * characters above 0x7f as they are.
 */
export function reportText(kind: ReportKind, value: object, indent = 2): string {
  const text = JSON.stringify({ schema: schemaOf(kind), ...value }, jsonValue, indent);
  const escape = (character: string): string => `\\u00${character.charCodeAt(0).toString(16)}`;
  return `${text.replace(/[\u007f-\u009f]/g, escape)}\n`;
}
