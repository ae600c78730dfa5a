// Two worker threads at the same time, each with its own model. One model with `sequences: 2` is
// the cheaper way to do this; the example shows that workers are safe.
//
//   node examples/two-workers.mjs [MODEL]
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { loadModel } from "r1-native";

if (isMainThread) {
  const [path] = process.argv.slice(2);
  const questions = ["What is 1+1?", "What is 2+3?"];
  const answers = questions.map(
    (question) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: { path, question } });
        worker.once("message", resolve);
        worker.once("error", reject);
      }),
  );
  for (const [i, answer] of (await Promise.all(answers)).entries())
    console.log(`${questions[i]} ${answer}`);
} else {
  const model = await loadModel(workerData.path, { threads: 1, contextSize: 2048 });
  const { answer } = await model
    .chat([{ role: "user", content: workerData.question }], { temperature: 0 })
    .result();
  await model.close();
  parentPort.postMessage(answer);
}
