// What typescript-eslint checks beyond the compiler: strict and type-aware over lib/ and test/, plain over the scripts.
import js from "@eslint/js";
import globals from "globals";
import tseslint from "typescript-eslint";

export default tseslint.config(
  {
    ignores: [
      "dist/",
      "build/",
      "build-native*/",
      "vendor/",
      "prebuilds/",
      "coverage/",
      "site/",
      "bench/out/",
      "bench/peers/",
      "models/",
    ],
  },
  js.configs.recommended,
  {
    files: [
      "lib/**/*.ts",
      "test/**/*.ts",
      "vitest.config.ts",
      "vitest.gpu.config.ts",
      "vitest.queue.config.ts",
      "vitest.cuda.config.ts",
      "vitest.unit.config.ts",
    ],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: "./tsconfig.test.json", tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers in a message are meant to be read as they are.
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      // `return finish()` where both return nothing is a way to stop early.
      "@typescript-eslint/no-confusing-void-expression": "off",
      // What JavaScript callers and files hand in is checked against the types, not trusted to have them.
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/no-misused-spread": [
        "error",
        { allow: [{ from: "lib", name: "string" }] },
      ],
      // Cancellation throws `signal.reason` untouched, whatever it is.
      "@typescript-eslint/only-throw-error": [
        "error",
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      // A name that only takes a place, as in a callback's unused parameter or a property left out by destructuring.
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
    },
  },
  {
    // The boundary with native code is the one place where a value's type can only be asserted.
    files: ["lib/binding/**/*.ts"],
    rules: { "@typescript-eslint/no-explicit-any": "off" },
  },
  {
    // A test says by its own failure what was not there.
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    // The quick tests run in threads.
    files: ["test/**/*.test.ts"],
    ignores: ["test/**/*.native.test.ts", "test/**/*.slow.test.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        {
          object: "process",
          property: "chdir",
          message: "Threads cannot: mock process.cwd, or name the test *.native.test.ts.",
        },
      ],
    },
  },
  {
    files: ["**/*.mjs", "**/*.js"],
    languageOptions: { globals: globals.node, ecmaVersion: 2024, sourceType: "module" },
  },
  {
    files: ["**/*.cjs"],
    languageOptions: { globals: globals.node, ecmaVersion: 2024, sourceType: "commonjs" },
  },
);
