/**
 * Gives what `open` opened, the same one each time: a function keeps it from one invocation to the
 * next. What could not be opened is tried again.
 */
export function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}
