// Downloads as a person sees them: the bar on a pseudo-terminal, of `pull` and of a run that
// fetches its model first. Uses dist/.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import { onTerminal } from "../cli/on-terminal.js";
import { at, big, bigPath, useHub } from "./setup.js";

useHub();

/** Share, bytes of all bytes, rate, time left, file. */
const BAR =
  /[█░▓▒ =-]+ \d+ % [\d.]+ [KM]iB of [\d.]+ [KM]iB [\d.]+ [KM]iB\/s \d+ s left \(1\/1\) [\w-]+\.gguf/;
const tiny = readFileSync(DEFAULT_MODEL_PATH);
const CLEARED = "\u001b[0K";

const env = (): Record<string, string> => ({
  HF_ENDPOINT: at.hub.endpoint,
  HF_TOKEN: "hf_x",
  HF_HOME: at.dir,
});
/**
 * Sends the first half of a file of so many bytes in half a second, and of the other half next to
 * nothing before `rest` is called.
 */
function slow(bytes: number): { rest: () => void } {
  const fault = {
    kind: "slow" as const,
    bytesPerTick: Math.ceil(bytes / 100),
    tickMs: 10,
    crawlAfter: bytes / 2,
  };
  at.hub.fault = () => fault;
  return { rest: () => void (fault.crawlAfter = Infinity) };
}

describe("on a terminal", () => {
  it("pull shows how far it is, how fast, and how long it will take, and clears that in the end", async () => {
    const { rest } = slow(big.length);
    const { until, shown, ended } = onTerminal(
      ["pull", at.hub.repo, "*Q4_K_M*", "--dir", at.dir],
      env(),
    );
    await until(BAR);
    rest();
    expect(await ended).toBe(0);
    expect(shown().slice(shown().lastIndexOf("left"))).toContain(CLEARED);
    expect(shown()).toContain(bigPath());
    expect(readFileSync(bigPath()).equals(big)).toBe(true);
  });

  it("a run shows how far the download of its model is, and nothing of it the second time", async () => {
    at.hub.commit({ "tiny-r1-Q8_0.gguf": tiny });
    const args = [
      "-m",
      "hf:owner/model:Q8_0",
      "-p",
      "What is 1+1?",
      "-n",
      "4",
      "-t",
      "1",
      "-c",
      "256",
    ];
    const { rest } = slow(tiny.length);
    const first = onTerminal(args, env());
    await first.until(BAR);
    rest();
    expect(await first.ended).toBe(0);
    expect(first.shown()).toContain("<think>");
    const second = onTerminal(args, env());
    expect(await second.ended).toBe(0);
    expect(second.shown()).not.toMatch(BAR);
  });
});
