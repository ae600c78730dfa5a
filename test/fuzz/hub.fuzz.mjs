// Random answers of a Hub, right, damaged and hostile: a download or a remote inspection ends with
// the right bytes or with a code, in time, and shows its token to nobody else.
import { tryInChildren } from "./child.mjs";

const PROGRAM = new URL("hub/program.mjs", import.meta.url).href;

export const fuzz = ({ seed, isOver }) =>
  tryInChildren({ program: PROGRAM, seed, isOver, limitMs: 90_000 });
