// Claims about the store of responses: bounded in number, bytes and age, and one key's responses are
// nobody else's.
import { describe, expect, it } from "vitest";
import { normalizeLimits } from "../../../lib/server/limits.js";
import { ResponseStore } from "../../../lib/server/responses/store.js";
import type { StoredResponse } from "../../../lib/server/responses/store.js";

const item = (id: string, text = "x"): Record<string, unknown> => ({ type: "message", id, text });
const response = (n: number, text?: string): StoredResponse => {
  const own = item(`msg_${n}`, text);
  return { response: { id: `resp_${n}` }, input: [], items: [own] };
};

describe("a store of responses", () => {
  it("gives back what it was given, items by their ids, to the same key alone", () => {
    const store = new ResponseStore();
    store.put("a", response(1));
    expect(store.get("a", "resp_1")).toMatchObject(response(1));
    expect(store.item("a", "msg_1")).toEqual(item("msg_1"));
    expect(store.get("b", "resp_1")).toBeUndefined();
    expect(store.item("b", "msg_1")).toBeUndefined();
    expect(store.delete("b", "resp_1")).toBe(false);
    expect(store.get("a", "resp_1")).toBeDefined();
  });

  it("forgets the one that was used least recently when there are too many", () => {
    const store = new ResponseStore({ maxResponses: 3 });
    for (const n of [1, 2, 3]) store.put("a", response(n));
    store.get("a", "resp_1");
    store.put("b", response(4));
    expect(store.size).toBe(3);
    expect(store.get("a", "resp_2")).toBeUndefined();
    expect(store.item("a", "msg_2")).toBeUndefined();
    expect(store.get("a", "resp_1")).toBeDefined();
    expect(store.get("b", "resp_4")).toBeDefined();
  });

  it("lets no key push out the others by its number", () => {
    const store = new ResponseStore({ maxResponses: 10, maxResponsesPerKey: 2 });
    store.put("quiet", response(0));
    for (let n = 1; n <= 20; n++) store.put("busy", response(n));
    expect(store.size).toBe(3);
    expect(store.get("quiet", "resp_0")).toBeDefined();
    expect(store.get("busy", "resp_20")).toBeDefined();
    expect(store.get("busy", "resp_18")).toBeUndefined();
  });

  it("stays below its bytes, and does not keep what is larger than all of them", () => {
    const store = new ResponseStore({ maxBytes: 1000 });
    for (let n = 0; n < 50; n++) {
      store.put("a", response(n, "y".repeat(200)));
      expect(store.bytes).toBeLessThanOrEqual(1000);
    }
    expect(store.size).toBeGreaterThan(1);
    store.put("a", response(99, "y".repeat(2000)));
    expect(store.get("a", "resp_99")).toBeUndefined();
    for (let n = 0; n < 50; n++) store.delete("a", `resp_${n}`);
    expect([store.size, store.bytes]).toEqual([0, 0]);
  });

  it("forgets a response after its age", () => {
    let now = 0;
    const store = new ResponseStore({ maxAgeMs: 1000 }, () => now);
    store.put("a", response(1));
    now = 1000;
    expect(store.get("a", "resp_1")).toBeDefined();
    now = 1001;
    expect(store.item("a", "msg_1")).toBeUndefined();
    expect(store.get("a", "resp_1")).toBeUndefined();
    expect(store.bytes).toBe(0);
  });

  it("keeps an item as long as a later response of the conversation has it", () => {
    const store = new ResponseStore();
    const first = response(1);
    store.put("a", first);
    store.put("a", {
      response: { id: "resp_2" },
      input: [],
      items: [...first.items, item("msg_2")],
    });
    store.delete("a", "resp_1");
    expect(store.item("a", "msg_1")).toEqual(item("msg_1"));
    store.delete("a", "resp_2");
    expect(store.item("a", "msg_1")).toBeUndefined();
  });
});

describe("the bounds of a server's store", () => {
  it("are options that are checked", () => {
    const limits = { maxStored: 0, maxStoredPerKey: 1, maxStoredBytes: 10, maxStoredAge: 5 };
    expect(normalizeLimits(limits, "limits")).toMatchObject(limits);
    expect(normalizeLimits({}, "limits")).toMatchObject({ maxStored: 1000, maxStoredAge: 86_400 });
    for (const wrong of [{ maxStored: -1 }, { maxStoredBytes: 0 }, { maxStoredAge: 1.5 }])
      expect(() => normalizeLimits(wrong, "limits")).toThrow(/limits\.maxStored/);
  });
});
