import { digest, type Kind, type Row } from "../site.ts";

/** Hex digits of a tag's value: 64 bits tell apart more values than any site has. */
const TAG_HEX = 16;

/**
 * A page's cache tags in a fixed order: its own, its kind's, then the declared ones. Values are
 * hashed because CloudFront's tags are ASCII without commas and ignore case.
 */
export function pageTags(kind: Kind, key: Uint8Array, row: Row): readonly string[] {
  const declared = "tags" in kind ? kind.tags : [];
  const values = declared.filter(({ column }) => row[column] !== null && row[column] !== undefined);
  return [
    `${kind.name}-${short(Buffer.from(key))}`,
    kind.name,
    ...values.map(({ name, column }) => `${name}-${short(String(row[column]))}`),
  ].map((tag) => tag.toLowerCase());
}

function short(content: string | Uint8Array): string {
  return digest(content).toString("hex").slice(0, TAG_HEX);
}
