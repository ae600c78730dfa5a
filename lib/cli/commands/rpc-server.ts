// `r1-native rpc-server`: lends this machine's devices to models on other machines until Ctrl-C.
// Main thread; the server runs in a child process.
import type { Command } from "commander";
import type { RpcServer } from "../../index.js";
import { Interrupted, watchSignals } from "../exit.js";
import { wholeNumber } from "../file-work.js";
import { setWords } from "../flags.js";

const HELP = `
Examples:
  On the machine that lends:
    r1-native rpc-server
  On the machine that runs the model, through a tunnel:
    ssh -N -L 50052:127.0.0.1:50052 other
    r1-native run -m MODEL.gguf --rpc 127.0.0.1:50052

Serves one client at a time. Ctrl-C ends the server; the model that uses it then fails.`;

const WARNING = `
WARNING: this server can be reached from other machines. llama.cpp's RPC has no authentication and no encryption,
         and is unsafe by design: anyone who reaches the port can read and run anything here.
         Use it only on a network that you trust, or keep 127.0.0.1 and tunnel with ssh -L.

`;

interface ServerFlags {
  readonly host?: string;
  readonly port?: number;
  readonly threads?: number;
  readonly device?: readonly string[];
  readonly cache?: boolean;
}

async function serve({ host, port, threads, device, cache }: ServerFlags): Promise<void> {
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const watch = watchSignals(() => stop());
  let server: RpcServer | undefined;
  const { startRpcServer } = await import("../../index.js");
  try {
    server = await startRpcServer({
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
      ...(threads === undefined ? {} : { threads }),
      ...(device === undefined ? {} : { devices: device.flatMap((names) => names.split(",")) }),
      cache: cache ?? false,
      signal: watch.signal,
    });
    if (!server.isLoopback) process.stderr.write(WARNING);
    process.stdout.write(`listening on ${server.endpoint}\n`);
    await Promise.race([server.ended, stopped]);
  } catch (error) {
    if (watch.exitCode !== undefined) throw new Interrupted(watch.exitCode);
    throw error;
  } finally {
    watch.stop();
    await server?.close();
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("rpc-server")
    .option("-H, --host <address>", "address to listen on (127.0.0.1: this machine only)")
    .option("-p, --port <n>", "port; 0: a free one (50052)", wholeNumber("--port", 0, 65_535))
    .option(
      "-t, --threads <n>",
      "threads of the CPU device (the physical cores)",
      wholeNumber("--threads", 1, 512),
    )
    .option(
      "-d, --device <name...>",
      "devices to lend, as r1-native devices lists them (every GPU, or else the CPU)",
    )
    .option("-c, --cache", "keep large tensors on disk, so that a model is not sent again")
    .addHelpText("after", HELP)
    .action(serve);
  setWords(command, { devices: "--device" });
}
