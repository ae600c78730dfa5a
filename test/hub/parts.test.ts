// The pure parts of downloading: ranges, patterns, references, what Retry-After says. No network.
import { homedir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { isOddPath, isSafePath, type HubFile } from "../../lib/hub/listing.js";
import { fitsPattern } from "../../lib/hub/patterns.js";
import {
  countBytes,
  mergeRanges,
  missingPieces,
  prefixLength,
  readRanges,
  type Range,
} from "../../lib/hub/ranges.js";
import {
  chooseModel,
  modelsOf,
  parseReference,
  quantLabel,
  referenceOfPage,
} from "../../lib/hub/reference.js";
import { retryAfterMs } from "../../lib/hub/retry.js";
import { cacheFolder, endpointOf, tokenOf } from "../../lib/hub/settings.js";

const SIZE = 200;
const ranges = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: SIZE - 1 }), fc.integer({ min: 1, max: SIZE }))
    .map(([start, end]): Range => [start, Math.max(start + 1, end)]),
);
const bytesOf = (list: readonly Range[]): Set<number> =>
  new Set(list.flatMap(([start, end]) => Array.from({ length: end - start }, (_, i) => start + i)));

describe("ranges", () => {
  it("and what is missing make the whole file, without overlap, in pieces that are not too long", () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: 50 }), (there, pieceBytes) => {
        const missing = missingPieces(there, SIZE, pieceBytes);
        const [have, lack] = [bytesOf(there), bytesOf(missing)];
        expect(lack.size).toBe(missing.reduce((sum, [start, end]) => sum + end - start, 0));
        expect(new Set([...have, ...lack]).size).toBe(SIZE);
        expect(have.size + lack.size).toBe(SIZE);
        for (const [start, end] of missing) expect(end - start).toBeLessThanOrEqual(pieceBytes);
        expect(countBytes(there)).toBe(have.size);
        let prefix = 0;
        while (have.has(prefix)) prefix++;
        expect(prefixLength(there)).toBe(prefix);
        expect(readRanges(JSON.parse(JSON.stringify(mergeRanges(there))), SIZE)).toEqual(
          mergeRanges(there),
        );
      }),
    );
  });

  it.each([
    [null],
    [{}],
    [[1]],
    [[[1]]],
    [[[5, 5]]],
    [[[-1, 4]]],
    [[[0, SIZE + 1]]],
    [[[0, 1.5]]],
    [[["0", "4"]]],
  ])("are not read from %j", (value) => {
    expect(readRanges(value, SIZE)).toBeUndefined();
  });
});

describe("a pattern", () => {
  it.each([
    ["*UD-IQ1_S*", "DeepSeek-R1-UD-IQ1_S/DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf", true],
    ["*UD-IQ1_S*", "DeepSeek-R1-UD-IQ1_M/a.gguf", false],
    ["*.json", "config.json", true],
    ["*.json", "sub/config.json", true],
    ["sub/", "sub/config.json", true],
    ["?.bin", "a.bin", true],
    ["?.bin", "ab.bin", false],
    ["[a-c].bin", "b.bin", true],
    ["[!a-c].bin", "b.bin", false],
    ["[]].bin", "].bin", true],
    ["[.bin", "[.bin", true],
    ["a.b", "axb", false],
    ["", "a", false],
    ["**", "a/b", true],
    ["*.GGUF", "a.gguf", false],
  ])("%j on %j: %j", (pattern, path, fits) => expect(fitsPattern(path, pattern)).toBe(fits));

  it("that is hostile takes no time", () => {
    const began = performance.now();
    expect(fitsPattern("a".repeat(1000), `${"*a".repeat(300)}b`)).toBe(false);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

const file = (path: string): HubFile => ({
  path,
  bytes: 1,
  hash: { kind: "sha256", hex: "0".repeat(64) },
});
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (isR1Error(error)) return error.code;
    throw error;
  }
  return "none";
};

describe("a reference", () => {
  it.each([
    [
      "hf:unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:Q4_K_M",
      { repo: "unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF", quant: "Q4_K_M" },
    ],
    ["hf:a/b", { repo: "a/b" }],
    ["hf:a/b@v1.0:UD-IQ1_S", { repo: "a/b", revision: "v1.0", quant: "UD-IQ1_S" }],
    ["hf:a/b/sub/x.gguf", { repo: "a/b", file: "sub/x.gguf" }],
    ["hf:a/b@main/sub/x.gguf", { repo: "a/b", revision: "main", file: "sub/x.gguf" }],
  ])("%s is read", (text, expected) => expect(parseReference(text)).toEqual(expected));

  it.each(["hf:", "hf:a", "hf:a/b:", "hf:a/b/c", "hf:../b:Q4", "hf:a/b:Q4 K", "hf:a/../x.gguf"])(
    "%s is refused",
    (text) => {
      expect(codeOf(() => parseReference(text))).toBe("INVALID_ARGUMENT");
    },
  );

  it.each([
    ["DeepSeek-R1-UD-IQ1_S/DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf", "UD-IQ1_S"],
    ["DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf", "Q4_K_M"],
    ["model.BF16.gguf", "BF16"],
    ["x-Q2_K_L-00001-of-00005.gguf", "Q2_K_L"],
    ["x-UD-Q2_K_XL.gguf", "UD-Q2_K_XL"],
    ["SQ8-model.gguf", ""],
    ["model.gguf", ""],
  ])("the quant of %s is %j", (path, label) => expect(quantLabel(path)).toBe(label));

  const listing = [
    "README.md",
    "mmproj-F16.gguf",
    "m-Q4_K_M.gguf",
    "m-IQ1_S.gguf",
    "m-UD-IQ1_S-00001-of-00002.gguf",
    "m-UD-IQ1_S-00002-of-00002.gguf",
    "m-UD-IQ1_M-00001-of-00003.gguf",
    "m-UD-IQ1_M-00003-of-00003.gguf",
    "m-UD-Q2_K_XL.gguf",
    "a/m-Q8_0.gguf",
    "b/m-Q8_0.gguf",
  ].map(file);

  it("chooses a quant, all its parts, exact names before others", () => {
    const chosen = (quant?: string, path?: string): string[] =>
      chooseModel(
        {
          repo: "o/m",
          ...(quant === undefined ? {} : { quant }),
          ...(path === undefined ? {} : { file: path }),
        },
        listing,
      ).files.map((one) => one.path);
    expect(chosen()).toEqual(["m-Q4_K_M.gguf"]);
    expect(chosen("ud-iq1_s")).toEqual([
      "m-UD-IQ1_S-00001-of-00002.gguf",
      "m-UD-IQ1_S-00002-of-00002.gguf",
    ]);
    expect(chosen("IQ1_S")).toEqual(["m-IQ1_S.gguf"]);
    expect(chosen("Q2_K_XL")).toEqual(["m-UD-Q2_K_XL.gguf"]);
    expect(chosen(undefined, "a/m-Q8_0.gguf")).toEqual(["a/m-Q8_0.gguf"]);
    expect(chosen(undefined, "m-UD-IQ1_S-00002-of-00002.gguf")).toHaveLength(2);
  });

  it("says what is wrong: no such quant, several, parts that are not there", () => {
    expect(codeOf(() => chooseModel({ repo: "o/m", quant: "Q5_K_M" }, listing))).toBe(
      "FILE_NOT_FOUND",
    );
    expect(codeOf(() => chooseModel({ repo: "o/m", quant: "Q8_0" }, listing))).toBe(
      "INVALID_ARGUMENT",
    );
    expect(codeOf(() => chooseModel({ repo: "o/m", quant: "UD-IQ1_M" }, listing))).toBe(
      "SHARD_MISSING",
    );
    expect(codeOf(() => chooseModel({ repo: "o/m" }, [file("README.md")]))).toBe("FILE_NOT_FOUND");
  });

  it("is not held up by a name that claims 99,999 parts", () => {
    expect(modelsOf([file("m-00001-of-99999.gguf")])[0]?.missing).toHaveLength(20);
  });
});

describe("a path of a listing", () => {
  it.each(["", "/a", "a/", "../a", "a/../b", "./a", "a//b", "a\0b"])("%j is not safe", (path) =>
    expect(isSafePath(path)).toBe(false),
  );
  it.each(["a", "a/b.gguf", ".gitattributes", "a b/ü.bin", "..a"])("%j is", (path) =>
    expect(isSafePath(path)).toBe(true),
  );
  it.each(["a\\b", "a\nb", "a\u007fb", `${"a".repeat(300)}.gguf`, "ü".repeat(125)])(
    "%j is odd",
    (path) => expect(isOddPath(path)).toBe(true),
  );
  it.each(["a", "a b/ü.bin", "x".repeat(240), "是.gguf"])("%j is not odd", (path) =>
    expect(isOddPath(path)).toBe(false),
  );
  it.each(["c:x.gguf", "a?b", "a/con", "NUL.gguf", "x/ends. ", "x."])(
    "%j is odd on Windows",
    (path) => {
      expect(isOddPath(path, "win32")).toBe(true);
      expect(isOddPath(path, "linux")).toBe(false);
    },
  );
  it.each(["console.gguf", "a.b/c", "com", "x-00001-of-00002.gguf"])(
    "%j is not odd on Windows either",
    (path) => expect(isOddPath(path, "win32")).toBe(false),
  );
});

describe("an address of the Hub's pages", () => {
  it.each([
    ["https://huggingface.co/o/m", "hf:o/m"],
    ["https://huggingface.co/o/m/", "hf:o/m"],
    ["http://www.huggingface.co/o/m?library=x#files", "hf:o/m"],
    ["https://hf.co/o/m/tree/main", "hf:o/m"],
    ["https://huggingface.co/o/m/tree/v1", "hf:o/m@v1"],
    ["https://huggingface.co/o/m/blob/main/sub/a%20b-Q8_0.gguf", "hf:o/m/sub/a b-Q8_0.gguf"],
    ["https://huggingface.co/o/m/resolve/v1/a.gguf?download=true", "hf:o/m@v1/a.gguf"],
  ])("%s stands for %s", (page, reference) => {
    expect(referenceOfPage(page)).toBe(reference);
    expect(parseReference(page)).toEqual(parseReference(reference));
  });
  it.each([
    "https://example.com/o/m",
    "https://huggingface.co/o",
    "https://huggingface.co/datasets/o/m/x",
    "https://huggingface.co/o/m/blob/main/%zz.gguf",
    "hf:o/m",
  ])("%s is none", (text) => expect(referenceOfPage(text)).toBeUndefined());
});

describe("a GGUF file's name", () => {
  const models = (...names: string[]): string[] =>
    modelsOf(names.map((name) => file(name))).map(({ files: [first] }) => first?.path ?? "");

  it("may mention the importance matrix that the model was made with", () => {
    expect(
      models("R1-Q4_K_M-imatrix.gguf", "R1.imatrix.Q8_0.gguf", "i1-imatrix-IQ2_XS.gguf"),
    ).toEqual(["R1-Q4_K_M-imatrix.gguf", "R1.imatrix.Q8_0.gguf", "i1-imatrix-IQ2_XS.gguf"]);
  });

  it("may say that it holds a matrix, or a projector, and no model", () => {
    expect(
      models(
        "imatrix.gguf",
        "imatrix_unsloth.gguf",
        "imatrix-R1-Q8_0.gguf",
        "R1.imatrix.gguf",
        "mmproj-F16.gguf",
        "R1-mmproj-BF16.gguf",
        "sub/mmproj.gguf",
      ),
    ).toEqual([]);
  });

  it("is taken as it is when it is asked for by its path", () => {
    const listing = [file("imatrix.gguf"), file("a-Q8_0.gguf")];
    expect(chooseModel({ repo: "o/m", file: "imatrix.gguf" }, listing).files).toEqual([listing[0]]);
  });
});

describe("settings", () => {
  it("come from the usual variables, in the Hub's own order", async () => {
    expect(cacheFolder({ HF_HUB_CACHE: "/c", HF_HOME: "/h" })).toBe("/c");
    expect(cacheFolder({ HF_HOME: "/h", XDG_CACHE_HOME: "/x" })).toBe("/h/hub");
    expect(cacheFolder({ XDG_CACHE_HOME: "/x", HF_HOME: "" })).toBe("/x/huggingface/hub");
    expect(await endpointOf(undefined, { HF_ENDPOINT: "https://mirror.example/hub/" })).toBe(
      "https://mirror.example/hub",
    );
    await expect(endpointOf(undefined, { HF_ENDPOINT: "mirror" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  it("may name the user's folder and variables, as no shell expands them in files of settings", () => {
    const home = homedir();
    const env = { HOME: home, DATA: "/data", HF_HOME: "~/hf" };
    expect(cacheFolder(env)).toBe(join(home, "hf", "hub"));
    expect(cacheFolder({ ...env, HF_HOME: "~" })).toBe(join(home, "hub"));
    expect(cacheFolder({ ...env, HF_HOME: "$HOME/hf" })).toBe(join(home, "hf", "hub"));
    expect(cacheFolder({ ...env, HF_HUB_CACHE: "${DATA}/c" })).toBe("/data/c");
    expect(cacheFolder({ ...env, HF_HUB_CACHE: "$NONE/c" })).toBe("$NONE/c");
    expect(cacheFolder({ ...env, HF_HUB_CACHE: "/a/~/b" })).toBe("/a/~/b");
  });

  it("never repeat a token or a password that they refuse", async () => {
    const refused = async (work: Promise<unknown>): Promise<string> => {
      const error: unknown = await work.catch((reason: unknown) => reason);
      if (!isR1Error(error, "INVALID_ARGUMENT")) throw new Error(String(error));
      return `${error.message} ${JSON.stringify(error.details)}`;
    };
    const token = "hf_SECRET\nsecond line";
    for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
      expect(await refused(tokenOf(undefined, { [name]: token }))).toMatch(
        new RegExp(`^(?!.*SECRET).*${name}`),
      );
    expect(await refused(endpointOf("https://ann:SECRET@hub.example"))).not.toContain("SECRET");
    expect(await refused(endpointOf(undefined, { HF_ENDPOINT: "ann:SECRET@x" }))).not.toContain(
      "SECRET",
    );
  });

  it("Retry-After is seconds or a date", () => {
    expect(retryAfterMs("3", 0)).toBe(3000);
    expect(retryAfterMs("Thu, 01 Jan 1970 00:00:10 GMT", 4000)).toBe(6000);
    expect(retryAfterMs("soon", 0)).toBeUndefined();
    expect(retryAfterMs(null, 0)).toBeUndefined();
  });
});
