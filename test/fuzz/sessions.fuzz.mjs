// Altered saved sessions, sealed anew or not, for models with and without a key: each is refused
// with a code or restored, and no other request sees anything of it.
import { tryInChildren } from "./child.mjs";

const PROGRAM = new URL("sessions/program.mjs", import.meta.url).href;

export const fuzz = ({ seed, isOver }) => tryInChildren({ program: PROGRAM, seed, isOver });
