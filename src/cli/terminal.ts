import { styleText } from "node:util";

/** A style of a few words; none where colours are not wanted. */
type Style = "bold" | "dim" | "red" | "yellow" | "green";

/** One of the two streams we write to. */
export interface Terminal {
  readonly isTTY: boolean;
  /** Characters in a line; 80 where nobody knows. */
  readonly columns: number;
  write(text: string): void;
  paint(style: Style, text: string): string;
}

/**
 * Wraps a standard stream. Once its reader is gone (`| head`) what is written is dropped: the
 * work goes on, and its exit code stays true. Colours obey NO_COLOR and FORCE_COLOR.
 */
export function terminal(stream: NodeJS.WriteStream): Terminal {
  let isGone = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    isGone = true;
  });
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 80;
    },
    write(text) {
      if (!isGone) stream.write(text);
    },
    paint: (style, text) => styleText(style, text, { stream }),
  };
}

/** Text from rows or the network with its control characters spelt out, so that it moves no cursor. */
export function plain(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
