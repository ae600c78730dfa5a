// The embedded model in a program that was bundled.
import { describe, expect, it } from "vitest";
import { DEFAULT_MODEL_PATH, embeddedModel } from "../../lib/weights/default-model.js";

describe("the embedded model", () => {
  it("is found in the package", () => {
    expect(embeddedModel()).toBe(DEFAULT_MODEL_PATH);
  });

  it("that a bundler has left behind is an error that names the bundler's flag", () => {
    expect(() => embeddedModel("/bundle/models/tiny-r1.gguf")).toThrow(
      expect.objectContaining({
        code: "FILE_NOT_FOUND",
        message: expect.stringMatching(
          /"\/bundle\/models\/tiny-r1.gguf".*--external:r1-native/,
        ) as unknown,
      }) as Error,
    );
  });
});
