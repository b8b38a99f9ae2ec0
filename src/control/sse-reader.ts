/** One server-sent event as it came. */
export interface SentEvent {
  /** Empty when the server gave none. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/**
 * Reads `text/event-stream` (HTML Standard, "Interpreting an event stream"). Comments and fields
 * that nobody needs are left out, and so is an event that was cut off.
 */
export async function* sentEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SentEvent> {
  let [id, event, data] = ["", "", [] as string[]];
  for await (const line of lines(chunks)) {
    if (line === "") {
      if (data.length > 0) yield { id, event: event || "message", data: data.join("\n") };
      [event, data] = ["", []];
      continue;
    }
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === "id") id = value;
    else if (name === "event") event = value;
    else if (name === "data") data.push(value);
  }
}

/** Lines without their ends, whichever of the three they have. */
async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
