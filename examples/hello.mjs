// The shortest program: one question, one answer.
//
//   node examples/hello.mjs [MODEL]
import { loadModel } from "r1-native";

const model = await loadModel(process.argv[2]);
const { answer } = await model.chat([{ role: "user", content: "What is 1+1?" }]).result();
console.log(answer);
await model.close();
