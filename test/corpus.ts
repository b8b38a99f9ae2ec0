import { createReadStream, existsSync } from "node:fs";
import { createGunzip } from "node:zlib";

const FOLDER = new URL("../../shared/corpus/", import.meta.url);

/**
 * Yields the rows of one corpus file in its order. Lines end at `\n` only: bodies hold U+2028,
 * which readline would take for a line end.
 */
export async function* corpus<T>(
  name: "articles" | "users" | "activities" | "friendships",
): AsyncGenerator<T> {
  const file = new URL(`${name}.ndjson.gz`, FOLDER);
  if (!existsSync(file)) throw new Error(`The corpus is absent: ${file.pathname}.`);
  let rest = "";
  for await (const chunk of createReadStream(file).pipe(createGunzip()).setEncoding("utf8")) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as T;
  }
  if (rest !== "") yield JSON.parse(rest) as T;
}
