import { type Kind, ownTag, type Row, tagDigest } from "../site.ts";

/**
 * A page's cache tags in a fixed order: its own, its kind's, then the declared ones. Values are
 * hashed because CloudFront's tags are ASCII without commas and ignore case.
 */
export function pageTags(kind: Kind, key: Uint8Array, row: Row): readonly string[] {
  const declared = "tags" in kind ? kind.tags : [];
  const values = declared.filter(({ column }) => row[column] !== null && row[column] !== undefined);
  return [
    ownTag({ kind: kind.name, key }),
    kind.name,
    ...values.map(({ name, column }) => `${name}-${short(String(row[column]))}`),
  ].map((tag) => tag.toLowerCase());
}

function short(content: string): string {
  return tagDigest(content).toString("hex");
}
