// What a user is told when the addon cannot be loaded. No addon needed.
import { describe, expect, it } from "vitest";
import { explainLoadFailure } from "../../lib/binding/load-failure.js";

const cases: [symptom: string, message: string, reason: RegExp, advice: RegExp][] = [
  [
    "the C library is too old",
    "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by r1_native.node)",
    /newer system .*needs GLIBC_2\.38/,
    /npx r1-native build/,
  ],
  [
    "the C++ library is too old",
    "libstdc++.so.6: version `GLIBCXX_3.4.32' not found",
    /GLIBCXX_3\.4\.32/,
    /npx r1-native build/,
  ],
  [
    "the file is for another platform",
    "r1_native.node: invalid ELF header",
    /another platform/,
    /copied/,
  ],
  [
    "the file is for another Mac",
    "dlopen(r1_native.node, 0x0001): tried: 'r1_native.node' (mach-o file, but is an incompatible architecture (have 'arm64', need 'x86_64'))",
    /another platform/,
    /copied/,
  ],
  [
    "a library is missing",
    "libllama.so: cannot open shared object file: No such file or directory",
    /libllama\.so is missing/,
    /beside r1_native\.node/,
  ],
  [
    "the libraries do not match",
    "r1_native.node: undefined symbol: llama_model_n_layer_nextn",
    /llama_model_n_layer_nextn is missing/,
    /npx r1-native build/,
  ],
  [
    "addons are off",
    "Cannot load native addon because loading addons is disabled.",
    /addons disabled/,
    /--no-addons/,
  ],
];

describe("explainLoadFailure", () => {
  it.each(cases)("names the cause and the cure when %s", (_symptom, message, reason, advice) => {
    const found = explainLoadFailure(message);
    expect(found.reason).toMatch(reason);
    expect(found.advice).toMatch(advice);
  });

  it("passes the first line of an unknown failure on and still says how to build", () => {
    expect(explainLoadFailure("something new\nsecond line")).toMatchObject({
      reason: "something new",
      advice: expect.stringContaining("npm run build:native") as string,
    });
  });

  it("names the older llama.cpp that another package has loaded", () => {
    const message = "libllama.so: undefined symbol: ggml_prec_set_acc";
    const { reason, advice } = explainLoadFailure(message, "/n/other/libggml-base.so");
    expect(reason).toMatch(/older llama\.cpp.*\/n\/other\/libggml-base\.so/);
    expect(advice).toMatch(/process of its own/);
  });
});
