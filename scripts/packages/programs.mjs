// Programs of a user of r1-native, with which installed packages are tried.

const ASK = `const model = await loadModel();
const question = [{ role: "user", content: "What is 1+1?" }];
const { answer, finishReason } = await model.chat(question, { temperature: 0, seed: 1 }).result();
await model.close();
if (!answer.includes("2") || finishReason !== "stop") throw new Error("unexpected: " + answer);
console.log("hello: " + answer.trim());
`;

/** Loads the embedded model, asks it one question and prints the answer. */
export const HELLO = `import { loadModel } from "r1-native";\n${ASK}`;

/** The same from CommonJS. */
export const HELLO_CJS = `const { loadModel } = require("r1-native");\n(async () => {\n${ASK}})();\n`;

/** Uses the entries of the package beside the main one. */
export const ENTRIES = `import { DEFAULT_MODEL_PATH } from "r1-native";
import { inspectGguf } from "r1-native/files";
import { isHubReference } from "r1-native/hub";
import { R1_LAYERS } from "r1-native/plan";
const { variant } = await inspectGguf(DEFAULT_MODEL_PATH);
if (variant !== "r1" || R1_LAYERS !== 61 || !isHubReference("hf:a/b")) throw new Error(variant);
console.log("hello: " + variant);
`;
