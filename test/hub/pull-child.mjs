// Downloads with the built library until it is killed; a child process of download-kill.test.ts.
import { downloadModel } from "../../dist/hub/download.js";

const [repo, endpoint, dir] = process.argv.slice(2);
await downloadModel(repo, {
  endpoint,
  dir,
  token: false,
  chunkBytes: 262_144,
  onProgress: ({ fetchedBytes }) => process.stdout.write(`${fetchedBytes}\n`),
});
