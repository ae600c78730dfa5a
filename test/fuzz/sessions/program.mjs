// Tries one altered saved session after the other: refused with a code or restored harmlessly, with
// and without a key; the results of other requests stay as they are, and no cell is left behind.
import { isR1Error, loadModel } from "../../../dist/index.js";
import { outcomeOf } from "../child.mjs";
import { loadTs } from "../load-ts.mjs";
import { randomOf } from "../random.mjs";

const GREEDY = { temperature: 0, seed: 1 };
const KEY = "a key of this host, long enough";
const EXTREMES = [
  0, 1, 2, 255, 0x7fffffff, 0x80000000, 0xffffffff, 1024, 65536, 0x7fc00000, 0x7f800000,
];
const QUESTIONS = ["What is 12+13?", "What is 2+2?", "What is 7+5?"];

export async function prepare(seed) {
  const { decodeSession, seal, withHead } = await loadTs("test/fixtures/saved-session.ts");
  const open = (key) =>
    loadModel({
      contextSize: 4096,
      sequences: 4,
      threads: 1,
      kvUnified: seed % 2 === 0,
      ...(key === undefined ? {} : { sessionKey: key }),
    });
  const models = [await open(undefined), await open(KEY)];
  const ask = async (model, question) =>
    (
      await model.chat([{ role: "user", content: question }], { ...GREEDY, maxTokens: 24 }).result()
    ).tokens.join();
  const saved = [];
  const reference = [];
  for (const [i, model] of models.entries()) {
    saved.push([]);
    for (const first of ["What is 2+3?", "What is 12+13?"]) {
      const session = model.session({ system: "Be brief.", ...GREEDY });
      await session.send(first).result();
      saved[i].push(Buffer.from(await session.save()));
    }
    reference.push(await Promise.all(QUESTIONS.map((question) => ask(model, question))));
  }

  const alterHead = (random, bytes) => {
    const head = JSON.parse(bytes.toString("utf8", 12, 12 + bytes.readUInt32LE(8)));
    const places = [];
    const look = (at) => {
      for (const key of Object.keys(at)) {
        places.push([at, key]);
        if (at[key] !== null && typeof at[key] === "object") look(at[key]);
      }
    };
    look(head);
    const [at, key] = random.pick(places);
    if (random.oneIn(5)) delete at[key];
    else
      at[key] = random.pick([
        null,
        0,
        -1,
        2 ** 53,
        "",
        "x",
        [],
        {},
        [0, 0],
        true,
        "<｜User｜>",
        1e308,
      ]);
    return Buffer.from(withHead(bytes, JSON.stringify(head)));
  };
  const alter = (random, list) => {
    const bytes = random.pick(list);
    const { tokensAt, cellsAt } = decodeSession(bytes);
    const body = Buffer.from(bytes.subarray(0, -32));
    const places = [
      () => random.below(body.length - 16),
      () => tokensAt + random.below(cellsAt - tokensAt),
      () => cellsAt + random.below(64),
      () => cellsAt + 4 * random.below(400),
      () => cellsAt + random.below(body.length - cellsAt - 16),
    ];
    let result = body;
    switch (random.below(8)) {
      case 0:
        return alterHead(random, bytes);
      case 1: {
        // Another conversation's cells under these tokens.
        const other = random.pick(list);
        const cells = other.subarray(decodeSession(other).cellsAt, -32);
        result = Buffer.concat([body.subarray(0, cellsAt), cells]);
        if (random.oneIn(2)) result.writeBigUInt64LE(BigInt(cells.length), cellsAt - 8);
        break;
      }
      case 2: {
        const at = random.pick(places)();
        result = Buffer.concat([body.subarray(0, at), body.subarray(at + 1 + random.below(64))]);
        break;
      }
      case 3:
        result = Buffer.concat([body, Buffer.alloc(random.pick([1, 8, 4096]), random.below(256))]);
        break;
      default:
        for (let i = random.between(1, 3); i > 0; i--) {
          const at = random.pick(places)();
          if (random.oneIn(3)) body[at] ^= 1 << random.below(8);
          else if (random.oneIn(2)) body.writeUInt32LE(random.pick(EXTREMES), at);
          else
            for (let k = 0; k < 16 && at + k < body.length; k++) body[at + k] = random.below(256);
        }
    }
    if (random.oneIn(6)) return Buffer.concat([result, bytes.subarray(-32)]);
    return Buffer.from(
      seal(result, random.oneIn(8) ? "another key, as long as it has to be" : undefined),
    );
  };

  const others = async (i, random) => {
    const which = random.below(QUESTIONS.length);
    const now = await ask(models[i], QUESTIONS[which]);
    return now === reference[i][which] ? undefined : `"${QUESTIONS[which]}" has another answer now`;
  };

  const attempt = async (number) => {
    const random = randomOf(seed, number);
    const i = random.below(models.length);
    const model = models[i];
    const bytes = alter(random, saved[i]);
    const isSame = saved[i].some((one) => one.equals(bytes));
    const beside = random.oneIn(8) ? others(i, random) : undefined;
    let kind = "restored";
    try {
      const restored = await model.restoreSession(bytes, { ...GREEDY, maxTokens: 8 });
      if (i === 1 && !isSame)
        return { kind, wrong: "a session that this key did not seal was restored" };
      if (random.oneIn(2))
        await restored
          .send("Now add 5.")
          .result()
          .catch((error) => {
            const { wrong } = outcomeOf(error, isR1Error);
            if (wrong !== undefined) throw error;
            kind = `restored, then ${error.code}`;
          });
    } catch (error) {
      const { kind: code, wrong } = outcomeOf(error, isR1Error);
      if (wrong !== undefined) return { kind: code, wrong };
      kind = i === 0 ? code : `${code} with a key`;
    }
    const wrong = (await beside) ?? (random.oneIn(8) ? await others(i, random) : undefined);
    return { kind, wrong };
  };

  const finish = async () => {
    const wrong = [];
    for (const [i, model] of models.entries()) {
      for (const [which, question] of QUESTIONS.entries())
        if ((await ask(model, question)) !== reference[i][which])
          wrong.push(`at the end "${question}" has another answer`);
      const session = await model.restoreSession(saved[i][0], GREEDY);
      await session.send("Now add 5.").result();
      // A restored session that nobody holds gives its cells back.
      for (let round = 0; round < 20; round++) {
        globalThis.gc();
        await new Promise((done) => setTimeout(done, 10));
      }
      const stats = model.stats();
      if (stats.running !== 0 || stats.waiting !== 0 || stats.preparing !== 0)
        wrong.push(`left behind: ${JSON.stringify(stats)}`);
      await model.close();
    }
    return wrong;
  };
  return { attempt, finish };
}
