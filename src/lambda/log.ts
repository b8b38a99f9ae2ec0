import { PipelineError } from "../error.ts";

/** Writes an event as one line of JSON, as `nightbake worker --json` does. */
export function tell(event: object): void {
  process.stdout.write(`${lineOf(event)}\n`);
}

/** The line of an event; what it says of an error is what people may read of it. */
export function lineOf(event: object): string {
  const { error, ...told } = event as { readonly error?: unknown };
  return JSON.stringify(error === undefined ? event : { ...told, ...partsOf(error) });
}

/** Tells what a function fails with, which Lambda does otherwise without our code and hint. */
export async function telling<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    tell({ event: "error", error });
    throw error;
  }
}

function partsOf(error: unknown) {
  if (!(error instanceof PipelineError)) return { code: "bug", message: String(error) };
  const { code, message, hint, at, problems } = error;
  return {
    code,
    message,
    hint,
    ...(Object.keys(at).length > 0 && { at }),
    ...(problems.length > 0 && { problems }),
  };
}
