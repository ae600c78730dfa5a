// The snippets of the README, the guides and the reference run as they stand, in the packed package
// on the small model. `npm run test:docs` runs them and prints how many.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/free-port.mjs";
import { givenFiles, snippetsOf, type Snippet } from "../../scripts/docs/snippets.mjs";
import {
  missingLines,
  runToEnd,
  saveProgram,
  startServer,
  typeFaults,
  type Outcome,
} from "./run-snippet.js";
import { give, openWorkplace, type Workplace } from "./workplace.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = [
  "README.md",
  ...["guide", "reference"].flatMap((room) =>
    readdirSync(join(root, "docs", room))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${room}/${name}`),
  ),
]
  .map((page) => ({ page, text: readFileSync(join(root, page), "utf8") }))
  .map(({ page, text }) => ({ page, text, snippets: snippetsOf(text, page) }))
  .filter(({ snippets }) => snippets.some(({ isRunnable }) => isRunnable));

/** Ports that a page's servers take; each gets a free one instead. */
const PORTS = ["8080", "50052", "6379"];

let place: Workplace;
const counts = { ran: 0, written: 0, notRun: new Map<string, number>() };
beforeAll(async () => {
  place = await openWorkplace();
});
afterAll(async () => {
  await place.close();
  const reasons = [...counts.notRun].map(([reason, count]) => `${reason}: ${count}`);
  console.log(
    `Snippets: ${counts.ran} ran, ${counts.written} were files of others, ` +
      `${[...counts.notRun.values()].reduce((sum, count) => sum + count, 0)} were not run ` +
      `(${reasons.join("; ")})`,
  );
});

describe.each(pages)("$page", ({ page, text, snippets }) => {
  const stops: (() => Promise<void>)[] = [];
  const ports = new Map<string, string>();
  let folder: string;
  let earlier = "";
  let last: Outcome = { code: 0, output: "" };

  beforeAll(async () => {
    folder = place.folderOf(page);
    for (const name of givenFiles(text)) give(folder, name);
    for (const port of PORTS) ports.set(port, String(await freePort()));
  });
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  const withPorts = (code: string): string =>
    [...ports].reduce(
      (sum, [from, to]) => sum.replaceAll(new RegExp(`\\b${from}\\b`, "g"), to),
      code,
    );
  const options = () => ({
    cwd: folder,
    env: { ...place.env, LLAMA_ARG_PORT: ports.get("8080") ?? "0" },
  });

  async function program(snippet: Snippet): Promise<Outcome> {
    const { line, marks } = snippet;
    earlier = marks["continued"] === true ? `${earlier}${snippet.code}` : snippet.code;
    const name = `line-${line}`;
    const file = saveProgram(folder, name, { ...snippet, code: withPorts(earlier) });
    return runToEnd(process.execPath, [file], options());
  }

  async function shell({ code, marks }: Snippet): Promise<Outcome> {
    const given = typeof marks["stdin"] === "string" ? { input: `${marks["stdin"]}\n` } : {};
    return runToEnd("bash", ["--norc", "-euo", "pipefail", "-c", withPorts(code)], {
      ...options(),
      ...given,
    });
  }

  for (const snippet of snippets) {
    const { line, language, marks, code, isRunnable } = snippet;
    const reason = marks["not-run"];
    if (typeof reason === "string") {
      it(`line ${line} says why it is not run`, () => {
        counts.notRun.set(reason, (counts.notRun.get(reason) ?? 0) + 1);
        expect(reason.length).toBeGreaterThan(5);
      });
      continue;
    }
    if (typeof marks["file"] === "string") {
      const name = marks["file"];
      it(`line ${line} is the file ${name}`, () => {
        counts.written++;
        writeFileSync(join(folder, name), withPorts(code));
      });
      continue;
    }
    if (marks["output"] === true) {
      it(`line ${line} is what the snippet before it prints`, () => {
        expect(missingLines(code, last.output), last.output).toEqual([]);
      });
      continue;
    }
    if (!isRunnable) continue;
    it(`line ${line} runs (${language})`, async () => {
      if (marks["server"] === true) stops.push(await startServer(withPorts(code), options()));
      else {
        last = await (language === "sh" ? shell(snippet) : program(snippet));
        expect(last.code, last.output).toBe(Number(marks["exit"] ?? 0));
      }
      counts.ran++;
    });
  }

  if (
    snippets.some(
      ({ language, isRunnable, marks }) => language === "ts" && isRunnable && !marks["not-run"],
    )
  )
    it("is sound TypeScript", () => expect(typeFaults(folder)).toEqual([]));
});
