// The file of lines that were typed into conversations.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ChatHistory, historyPath } from "../../../lib/cli/chat/history.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "r1-history-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("is in the folder for state, which only an absolute XDG_STATE_HOME moves", () => {
  expect(historyPath({ XDG_STATE_HOME: "/s" })).toBe("/s/r1-native/chat-history");
  expect(historyPath({ XDG_STATE_HOME: "s" })).toBe(historyPath({}));
  expect(historyPath({})).toMatch(/\.local\/state\/r1-native\/chat-history$/);
});

it("keeps lines for the next conversation, readable by their user alone", async () => {
  const path = join(folder, "new", "history");
  const first = await ChatHistory.open(path);
  expect(first.earlier).toEqual([]);
  for (const line of ["你好 🙂", "again", "again", " ", "last"]) first.add(line);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect((await ChatHistory.open(path)).earlier).toEqual(["last", "again", "你好 🙂"]);
});

it("takes away the rights of others from a file that they could read", async () => {
  const path = join(folder, "history");
  writeFileSync(path, "a\n", { mode: 0o644 });
  await ChatHistory.open(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it("drops the oldest lines of a file that has grown", async () => {
  const path = join(folder, "history");
  writeFileSync(path, Array.from({ length: 2500 }, (_, i) => `${i}\n`).join(""));
  const { earlier } = await ChatHistory.open(path);
  expect(earlier).toHaveLength(1000);
  expect(earlier[0]).toBe("2499");
  expect(readFileSync(path, "utf8").split("\n")).toHaveLength(1001);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it("is empty, and fails nothing, where there can be no file", async () => {
  writeFileSync(join(folder, "file"), "");
  const history = await ChatHistory.open(join(folder, "file", "history"));
  history.add("a");
  expect(history.earlier).toEqual([]);
});
