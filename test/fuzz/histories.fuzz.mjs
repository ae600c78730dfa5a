// Random conversations, right, wrong and hostile: each is refused with a code, or has exactly the
// special ids of the same conversation in harmless words, and can be answered.
import { tryInChildren } from "./child.mjs";

const PROGRAM = new URL("histories/program.mjs", import.meta.url).href;

export const fuzz = ({ seed, isOver }) => tryInChildren({ program: PROGRAM, seed, isOver });
