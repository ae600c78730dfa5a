// Runs llama-server's own tests, unmodified, against `r1-native serve`, and compares the results to
// the list in docs/evidence/server-llama-tests.md: any change fails. With --update it writes the
// results into the list. Other arguments choose test files. Needs `npm run build:ts` and Python with
// pytest and requests.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../scripts/free-port.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const units = join(root, "vendor/llama.cpp/tools/server/tests/unit");
const page = join(root, "docs/evidence/server-llama-tests.md");

/** The tests; each list runs in a process of its own. */
const LISTS = [
  ["test_chat_completion.py"],
  [
    "test_basic.py",
    "test_security.py",
    "test_tokenize.py",
    "test_metrics.py",
    "test_ctx_shift.py",
    "test_compat_anthropic.py",
    "test_completion.py::test_cancel_request",
  ],
];

function findPython() {
  for (const python of ["python3", "/usr/bin/python3"])
    if (spawnSync(python, ["-c", "import pytest, requests"]).status === 0) return python;
  throw new Error("No python3 has pytest and requests (Debian: python3-pytest python3-requests).");
}

/** Runs a list of tests; resolves with one result per test and case. */
async function runList(python, tests, folder) {
  const results = join(folder, "results.jsonl");
  writeFileSync(results, "");
  const args = ["-m", "pytest", "-p", "r1_plugin", "-p", "no:cacheprovider", "-q", "--tb=no"];
  const child = spawn(python, [...args, ...tests.map((one) => join(units, one))], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      PYTHONPATH: [join(here, "python"), process.env.PYTHONPATH].filter(Boolean).join(delimiter),
      // The vendored tree's folder stays as it is.
      PYTHONDONTWRITEBYTECODE: "1",
      LLAMA_SERVER_BIN_PATH: join(here, "server.mjs"),
      PORT: String(await freePort()),
      R1_RESULTS: results,
      // Tests that would download something fail at once.
      http_proxy: "http://127.0.0.1:9",
      https_proxy: "http://127.0.0.1:9",
      no_proxy: "127.0.0.1,localhost,::1",
    },
  });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  // 1: some tests failed, as the list says.
  if (code !== 0 && code !== 1) throw new Error(`pytest ended with code ${code}.`);
  return readFileSync(results, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** The result of a test whose cases ended so: `passed`, `left out`, or how many passed. */
function wordOf(outcomes) {
  const passed = outcomes.filter((one) => one === "passed").length;
  if (passed === outcomes.length) return passed === 1 ? "passed" : `passed (${passed})`;
  if (outcomes.every((one) => one === "skipped")) return "left out";
  return outcomes.length === 1 ? "deviates" : `deviates (${passed} of ${outcomes.length} pass)`;
}

/** Test to result, in the order in which they ran. */
function summary(results) {
  const cases = new Map();
  for (const { test, case: name, outcome } of results) {
    const outcomes = cases.get(test) ?? new Map();
    // A failure of the teardown goes before the result of the call.
    if (outcomes.get(name) !== "failed") outcomes.set(name, outcome);
    cases.set(test, outcomes);
  }
  return new Map([...cases].map(([test, outcomes]) => [test, wordOf([...outcomes.values()])]));
}

const ROW = /^- `(?<test>[^`]+)`: (?<result>[^.]*)\.(?: (?<why>.*))?$/;
/** Longest line of the page. */
const WIDTH = 100;

/** The entries of the page's list, by test; an entry goes on in indented lines. */
function readList(text) {
  const lines = text.replaceAll("\n  ", " ").split("\n");
  const entries = lines.flatMap((line) => ROW.exec(line)?.groups ?? []);
  return new Map(entries.map(({ test, result, why = "" }) => [test, { result, why }]));
}

/** Breaks an entry between words. */
function wrapped(entry) {
  const lines = [""];
  for (const word of entry.split(" ")) {
    const longer = lines.at(-1) === "" ? word : `${lines.at(-1)} ${word}`;
    if (longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(`  ${word}`);
  }
  return lines.join("\n");
}

function writeList(text, results, list) {
  const entries = [...results].map(([test, result]) =>
    wrapped(`- \`${test}\`: ${result}. ${list.get(test)?.why ?? ""}`.trimEnd()),
  );
  return text.replace(
    /(<!-- results -->\n)[^]*?(<!-- end of results -->)/,
    (_, start, end) => `${start}\n${entries.join("\n")}\n\n${end}`,
  );
}

/** What differs from the list, one line each. */
function differences(results, list) {
  const changed = [...results]
    .filter(([test, result]) => list.get(test)?.result !== result)
    .map(([test, result]) => `${test}: ${result}; the list: ${list.get(test)?.result ?? "none"}`);
  const gone = [...list.keys()].filter((test) => !results.has(test));
  const unexplained = [...list].filter(([, { result, why }]) => result !== "passed" && why === "");
  return [
    ...changed,
    ...gone.map((test) => `${test}: did not run`),
    ...unexplained
      .filter(([, { result }]) => !result.startsWith("passed"))
      .map(([test]) => `${test}: the list does not say why`),
  ];
}

const folder = mkdtempSync(join(tmpdir(), "r1-llama-tests-"));
try {
  const python = findPython();
  const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const lists = chosen.length > 0 ? [chosen] : LISTS;
  const started = performance.now();
  const parts = await Promise.all(
    lists.map((tests) => runList(python, tests, mkdtempSync(join(folder, "list-")))),
  );
  const all = parts.flat();
  for (const { case: name, outcome, reason } of all)
    if (outcome === "failed") console.log(`${name}: ${reason.split("\n")[0]}`);
  const results = summary(all);
  const text = readFileSync(page, "utf8");
  const seconds = Math.round((performance.now() - started) / 1000);
  const count = (word) => [...results.values()].filter((one) => one.startsWith(word)).length;
  const counts = `${count("passed")} pass, ${count("deviates")} deviate, ${count("left out")} left out`;
  let verdict = "as expected";
  if (process.argv.includes("--update")) {
    verdict = `written to ${page}`;
    writeFileSync(page, writeList(text, results, readList(text)));
  } else if (chosen.length === 0) {
    const wrong = differences(results, readList(text));
    for (const line of wrong) console.log(line);
    if (wrong.length > 0) {
      process.exitCode = 1;
      verdict = "differ from docs/evidence/server-llama-tests.md";
    }
  }
  console.log(`llama-server's ${results.size} tests: ${counts}; ${verdict} (${seconds} s)`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
