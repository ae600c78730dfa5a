// Runs before each test file: property tests draw the same inputs in every run, so that a change
// fails for what it changes. R1_TEST_SEED=N draws others, R1_TEST_SEED=random new ones each time.
import fc from "fast-check";

const wanted = process.env["R1_TEST_SEED"] ?? "1";
if (wanted !== "random") {
  const seed = Number(wanted);
  if (!Number.isSafeInteger(seed))
    throw new Error(`R1_TEST_SEED is a whole number or "random", not "${wanted}"`);
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
}
