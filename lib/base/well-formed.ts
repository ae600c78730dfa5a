// Finds code units that are no character: halves of surrogate pairs, which UTF-8 cannot hold.

/** The engine has it since Node 20; the language version of this project's types does not. */
interface WellFormed {
  isWellFormed(): boolean;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Position of the first half of a surrogate pair that stands alone; -1: none. Linear and fast. */
export function loneSurrogate(text: string): number {
  if ((text as unknown as WellFormed).isWellFormed()) return -1;
  return LONE_SURROGATE.exec(text)?.index ?? -1;
}
