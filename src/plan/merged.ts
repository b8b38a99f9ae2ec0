/** Merges texts that each come in the order of their UTF-8 bytes into one such order, each text once. */
export async function* merged(
  sources: readonly AsyncIterator<string, void>[],
): AsyncGenerator<string> {
  const heads = await Promise.all(sources.map((source) => source.next()));
  for (;;) {
    const texts = heads.flatMap(({ done, value }) => (done || value === undefined ? [] : [value]));
    const [first] = texts.sort(compareBytes);
    if (first === undefined) return;
    yield first;
    for (const [at, source] of sources.entries()) {
      if (heads[at]?.value === first) heads[at] = await source.next();
    }
  }
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
