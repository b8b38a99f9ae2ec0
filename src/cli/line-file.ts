import { createWriteStream } from "node:fs";
import { readFile, rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { PipelineError } from "../error.ts";
import type { Terminal } from "./terminal.ts";

/** Writes lines to a file, or to `out` for `-`. @throws PipelineError `input_invalid` */
export async function writeLines(
  lines: AsyncIterable<string>,
  file: string,
  out: Terminal,
): Promise<void> {
  if (file === "-") {
    for await (const line of lines) out.write(line);
    return;
  }
  // Whoever reads the file never sees half of it.
  const part = `${file}.part`;
  await pipeline(Readable.from(lines), createWriteStream(part)).catch(unusable);
  await rename(part, file).catch(unusable);
}

/** Reads the lines of a file, or of standard input for `-`. @throws PipelineError `input_invalid` */
export async function readLines(file: string): Promise<readonly string[]> {
  const read = file === "-" ? text(process.stdin) : readFile(file, "utf8");
  return (await read.catch(unusable)).split("\n");
}

/** The file that an action needs. @throws PipelineError `config_invalid` */
export function named(file: string | undefined): string {
  if (file !== undefined) return file;
  throw new PipelineError("config_invalid", "FILE is missing.", {
    hint: "Name a file, or - for standard output or input.",
  });
}

function unusable(cause: unknown): never {
  if (cause instanceof PipelineError) throw cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new PipelineError("input_invalid", `The file cannot be used: ${reason}`, {
    hint: "Check its name, and that it may be read or written.",
    cause,
  });
}
