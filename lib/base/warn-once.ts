// Process warnings: each text is emitted once per process.
const emitted = new Set<string>();

/**
 * Emits `text` as a process warning of the type `R1NativeWarning`, unless it was emitted before.
 */
export function warnOnce(text: string): void {
  if (emitted.has(text)) return;
  emitted.add(text);
  process.emitWarning(text, "R1NativeWarning");
}
