// Rewrites llama.cpp's spellings of flags (-ngl, --gpu-layers, --ctx_size, --temp=0.6) into the one name commander knows; main thread.
import type { Flag } from "./flags.js";
import { nameOf } from "./flags.js";

/**
 * Gives every flag of a command line its full name. Values are never touched, also when they look like flags, so that `-p "-c"` is a prompt.
 * Unknown flags pass through: commander refuses them and names the nearest.
 */
export function normalizeArgv(argv: readonly string[], flags: readonly Flag[]): string[] {
  const byName = new Map<string, Flag>();
  for (const flag of flags) for (const name of flag.names) byName.set(name, flag);
  const out: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (word === "--") return [...out, ...argv.slice(i)];
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const spelling = equals < 0 ? word : word.slice(0, equals);
    const name = spelling.startsWith("--") ? spelling.replaceAll("_", "-") : spelling;
    const flag = byName.get(name);
    if (flag === undefined) {
      out.push(word);
      continue;
    }
    out.push(nameOf(flag) + (equals < 0 ? "" : word.slice(equals)));
    if (equals >= 0) continue;
    if (flag.optionalValues !== undefined) {
      const next = argv[i + 1];
      const isValue = next !== undefined && flag.optionalValues.includes(next);
      out.push(isValue ? next : (flag.optionalValues[0] ?? ""));
      if (isValue) i++;
    } else if (flag.value !== undefined && i + 1 < argv.length) {
      out.push(argv[++i] ?? "");
    }
  }
  return out;
}
