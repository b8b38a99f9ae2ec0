import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { AnyTable } from "../site.ts";

/** The change records of a rebuild, which can be read more than once. */
export interface ChangeFiles extends AsyncDisposable {
  readonly files: readonly string[];
  /** Where the database was at the last record of each file that says so. */
  readonly positions: readonly string[];
}

/**
 * Reads the standard input (`-`) to its end, since rows are to be read after what it tells, and
 * looks for positions. Closing forgets it.
 * @throws PipelineError `input_invalid` when a file cannot be read
 */
export async function openChangeFiles(names: readonly string[]): Promise<ChangeFiles> {
  const { lastPosition } = await import("../source/changes.ts");
  await using stack = new AsyncDisposableStack();
  const files: string[] = [];
  for (const name of names) files.push(name === "-" ? await spooled(stack) : name);
  const positions = await Promise.all(files.map(lastPosition));
  const open = stack.move();
  return {
    files,
    positions: positions.filter((each) => each !== undefined),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** The records of all files, from their beginning each time. */
export function changesIn({ files }: ChangeFiles, tables: readonly AnyTable[]) {
  return {
    async *[Symbol.asyncIterator]() {
      const { readChanges } = await import("../source/changes.ts");
      for (const file of files) yield* readChanges(file, tables);
    },
  };
}

async function spooled(stack: AsyncDisposableStack): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "nightbake-changes-"));
  stack.defer(() => rm(dir, { recursive: true }));
  const file = join(dir, "standard-input.ndjson");
  await pipeline(createReadStream("", { fd: 0, autoClose: false }), createWriteStream(file));
  return file;
}
