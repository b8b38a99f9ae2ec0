const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/** Makes text safe between XML tags. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Undoes named and numbered entities. */
function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

/** Gives the text of each `<name>` element, in order; enough XML for the bodies that the AWS SDK sends. */
export function xmlTexts(body: string, name: string): string[] {
  const elements = body.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "gs"));
  return Array.from(elements, ([, text = ""]) => unescapeXml(text));
}
