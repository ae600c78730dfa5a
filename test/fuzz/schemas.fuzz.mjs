// Random schemas, right, wrong and hostile: each compiles in a bounded time or is refused, texts of
// its grammar fit it, and our check agrees with Ajv.
import { tryInChildren } from "./child.mjs";

const PROGRAM = new URL("schemas/program.mjs", import.meta.url).href;

export const fuzz = ({ seed, isOver }) => tryInChildren({ program: PROGRAM, seed, isOver });
