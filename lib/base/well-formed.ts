// Finds lone halves of surrogate pairs, which UTF-8 cannot represent.

/** Available since Node 20, but missing in the language version of this project's types. */
interface WellFormed {
  isWellFormed(): boolean;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Position of the first lone half of a surrogate pair; -1 if there is none. Linear and fast. */
export function loneSurrogate(text: string): number {
  if ((text as unknown as WellFormed).isWellFormed()) return -1;
  return LONE_SURROGATE.exec(text)?.index ?? -1;
}
