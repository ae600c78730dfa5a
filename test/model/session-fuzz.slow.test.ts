// Saved sessions altered on purpose, their checksum made right again or not: a typed error or a
// session, never the death of the process. The deed is done in child processes.
import { describe, expect, it } from "vitest";
import { runChild } from "../fixtures/child.js";

const FUZZ = `
import { createHash } from "node:crypto";
const options = { contextSize: 2048, ...LAYOUT };
const model = await load(options);
const greedy = { temperature: 0, seed: 1 };
const session = model.session({ system: "Be brief, and never say more than you know.", ...greedy });
await session.send("What is 2+3?").result();
const bytes = Buffer.from(await session.save());
const reference = (await session.send("Now add 5.").result()).tokens.join();
const headLength = bytes.readUInt32LE(8);
const stateAt = 12 + headLength + 4 + 4 * bytes.readUInt32LE(12 + headLength) + 8;
if (bytes.length - stateAt < 3000) throw new Error("no cells were saved");
let state = 7;
const roll = (n) => (state = (state * 1103515245 + 12345) % 2 ** 31) % n;
const seal = (copy) => { createHash("sha256").update(copy.subarray(0, -32)).digest().copy(copy, copy.length - 32); return copy; };
const extremes = [0, 1, 2, 255, 0x7fffffff, 0x80000000, 0xffffffff, 1024, 65536];
const alter = (i) => {
  const copy = Buffer.from(bytes);
  const places = [roll(copy.length - 40), 8 + roll(headLength), 12 + headLength + roll(64), stateAt + roll(64), stateAt + 4 * roll(400), stateAt + roll(copy.length - stateAt - 40)];
  const at = places[i % places.length];
  const kind = roll(4);
  if (kind === 0) copy[at] ^= 1 << roll(8);
  else if (kind === 1) copy.writeUInt32LE(extremes[roll(extremes.length)], at);
  else if (kind === 2) for (let k = 0; k < 16; k++) copy[at + k] = roll(256);
  else {
    const cut = Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1 + roll(64))]);
    return i % 4 === 0 || cut.length < 64 ? cut : seal(cut);
  }
  return i % 4 === 0 ? copy : seal(copy);
};
const outcomes = {};
for (let i = 0; i < 400; i++) {
  let outcome = "restored";
  try {
    const restored = await model.restoreSession(alter(i), greedy);
    if (i % 3 === 0) await restored.send("Now add 5.", { maxTokens: 8 }).result().catch((error) => { if (!isR1Error(error)) throw error; });
  } catch (error) {
    outcome = isR1Error(error) ? error.code : "foreign: " + error.stack;
  }
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
const again = await model.restoreSession(bytes, greedy);
const after = (await again.send("Now add 5.").result()).tokens.join();
await model.close();
console.log(JSON.stringify({ outcomes, same: after === reference }));
`;

describe("400 altered copies of a saved session", () => {
  it.each([
    ["in one pool", "{ sequences: 2, kvUnified: true }"],
    ["with a share each", "{ sequences: 3, contextSize: 3 * 2048, kvUnified: false }"],
    ["of a q4_0 cache", '{ cacheTypeK: "q4_0" }'],
    ["without flash attention", '{ flashAttention: "off" }'],
  ])(
    "%s kill nothing: each is restored or refused with a code, and the true one still goes on as it should",
    async (_, layout) => {
      const child = await runChild(FUZZ.replace("LAYOUT", layout));
      expect({ code: child.code, signal: child.signal, stderr: child.stderr }).toEqual({
        code: 0,
        signal: null,
        stderr: "",
      });
      const { outcomes, same } = JSON.parse(child.stdout) as {
        outcomes: Record<string, number>;
        same: boolean;
      };
      expect(
        Object.keys(outcomes).filter(
          (name) => !["restored", "STATE_INVALID", "STATE_MISMATCH"].includes(name),
        ),
      ).toEqual([]);
      expect(outcomes["STATE_INVALID"]).toBeGreaterThan(100);
      expect(same).toBe(true);
    },
  );
});
