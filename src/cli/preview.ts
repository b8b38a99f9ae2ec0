import { once } from "node:events";
import { statSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { PipelineError } from "../error.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf, type Io } from "./command.ts";
import { openKinds } from "./preview-kinds.ts";
import { previewServer, type Served } from "./preview-server.ts";
import { plain } from "./terminal.ts";

/** `nightbake preview` */
export const previewCommand: Command = {
  name: "preview",
  summary: "Serves the output folder the way the CDN would, until Ctrl-C.",
  details:
    "A folder keeps no headers. Those that kinds declare come from the site definition, and the ledger\n" +
    "says which kind a page is of; without these two, headers are what the file's name implies.",
  positionals: [],
  options: {
    port: { value: "PORT", short: "p", says: "The port (default: a free one)." },
    host: { value: "HOST", says: "The address to listen on (default 127.0.0.1)." },
    ...COMMON,
  },
  examples: [
    { line: "preview", says: "on a free port; prints the URL" },
    { line: "preview --port 8080 --out public", says: "another port, another folder" },
  ],
  async run(args, io) {
    const config = configOf(args, io);
    checkFolder(config.out);
    await using kinds = await openKinds(config);
    const previewed = { folder: config.out, kindOf: kinds.kindOf };
    const server = previewServer(previewed, (served) => log(io, args, served));
    const url = await listen(server, args);
    if (args.has("json")) io.out.write(`${JSON.stringify({ event: "listening", url })}\n`);
    else io.out.write(`${url}\n`);
    await stopped(io.signal);
    server.close();
    server.closeAllConnections();
    return 0;
  },
};

function checkFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new PipelineError("input_invalid", "There is nothing to preview: no output folder.", {
    hint: "Run `npm run bake` first, or name another folder with --out.",
    at: { folder },
  });
}

async function listen(server: Server, args: Args): Promise<string> {
  const [port, host] = [portOf(args.value("port") ?? "0"), args.value("host") ?? "127.0.0.1"];
  server.listen({ port, host, exclusive: true });
  try {
    await once(server, "listening");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    const message = `The server cannot listen on ${host}, port ${port}: ${code}.`;
    const hint = "Leave --port out for a free port, or name another one.";
    throw new PipelineError("config_invalid", message, { hint, cause });
  }
  const { address, port: actual, family } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${actual}/`;
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new PipelineError("config_invalid", "The port is no number from 0 to 65535.", {
    at: { option: "--port" },
  });
}

async function stopped(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

function log(io: Io, args: Args, { method, target, status, hint }: Served): void {
  if (args.has("json")) {
    io.out.write(`${JSON.stringify({ event: "request", method, target, status, hint })}\n`);
    return;
  }
  const shown = `${status} ${method} ${plain(target)}`;
  io.err.write(
    `${status < 400 ? shown : io.err.paint("yellow", shown)}${hint ? `  ${hint}` : ""}\n`,
  );
}
