import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { PipelineError } from "../error.ts";

/** A longer line is no row: the longest text is 16 MB, and JSON may write each byte as six. */
const MAX_LINE_BYTES = 128 * 1024 * 1024;
const LINE_END = 0x0a;

/** One line without its end. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

/**
 * The file that holds a table's rows: `articles.ndjson` or `articles.ndjson.gz`. Undefined when
 * there is none.
 * @throws PipelineError `input_invalid` when there are both
 */
export function inputFile(dir: string, table: string): string | undefined {
  const files = [`${table}.ndjson`, `${table}.ndjson.gz`].filter((name) =>
    existsSync(join(dir, name)),
  );
  if (files.length < 2) return files[0];
  throw new PipelineError("input_invalid", `Table ${table} has two input files.`, {
    hint: "Remove one of them.",
    at: { files: files.join(", ") },
  });
}

/**
 * Yields the lines of a file, unzipped when it ends in `.gz`. Lines end at `\n` only: JSON may hold
 * U+2028, which other readers take for a line end. Empty lines are left out.
 * @throws PipelineError `input_invalid` when the file cannot be read or a line is too long
 */
export function lines(dir: string, file: string): AsyncGenerator<Line> {
  return linesOf(chunks(dir, file), file);
}

/** The lines of bytes that come in pieces; `file` is their name for errors. */
async function* linesOf(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<Line> {
  let number = 0;
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      number += 1;
      parts.push(chunk.subarray(start, end));
      const line = parts.length === 1 ? chunk.subarray(start, end) : Buffer.concat(parts);
      if (line.length > 0) yield { number, bytes: line };
      parts = [];
      bytes = 0;
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > MAX_LINE_BYTES) throw unreadable(file, "a line is longer than 128 MB");
  }
  if (bytes > 0) yield { number: number + 1, bytes: Buffer.concat(parts) };
}

async function* chunks(dir: string, file: string): AsyncGenerator<Buffer> {
  const source: Readable = createReadStream(join(dir, file), { highWaterMark: 1024 * 1024 });
  const stream = file.endsWith(".gz")
    ? // The error of either stream reaches the loop below.
      pipeline(source, createGunzip({ chunkSize: 256 * 1024 }), () => {})
    : source;
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (cause) {
    throw unreadable(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function unreadable(file: string, reason: string, cause?: unknown): PipelineError {
  const message = `The input file ${file} cannot be read: ${reason}.`;
  return new PipelineError("input_invalid", message, { at: { file }, cause });
}
