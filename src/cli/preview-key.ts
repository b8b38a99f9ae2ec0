/** What a request asks the store for, or why no key can be meant. */
export type Requested =
  | { readonly key: string; readonly refused?: undefined }
  | { readonly key?: undefined; readonly refused: string };

/**
 * The object key that a CDN with an index function asks its store for: `/x/?y=1` → `x/index.html`,
 * `/caf%C3%A9` → `café`. Keys are names, not paths: nothing is resolved or collapsed, so what a
 * file system would (`..`, `//`, `\`) is refused. Pure; `target` is the request line's, undecoded.
 */
export function requestedKey(target: string): Requested {
  const [raw = ""] = target.split(/[?#]/, 1);
  if (!raw.startsWith("/")) return { refused: "The request names no path." };
  const name = decoded(raw.slice(1));
  if (name === undefined) return { refused: "The path is not percent-encoded UTF-8." };
  // Only a bare "/" at the end is a folder to the index function: it sees the undecoded path.
  const key = raw.endsWith("/") ? `${name}index.html` : name;
  const flaw = keyFlaw(key);
  return flaw === undefined ? { key } : { refused: flaw };
}

/** The key that would have been found with "/" at the end, for a hint; undefined when it had one. */
export function folderKey(key: string): string | undefined {
  return key.endsWith("/index.html") || key === "index.html" ? undefined : `${key}/index.html`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function keyFlaw(key: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those that no route may have.
  if (/[\u0000-\u001f\u007f\\]/.test(key))
    return "The path holds a control character or a backslash.";
  const parts = key.split("/");
  if (parts.includes("")) return 'The path has an empty part, or ends in an encoded "/".';
  if (parts.some((each) => each === "." || each === ".."))
    return 'The path has a part "." or "..".';
  return undefined;
}
