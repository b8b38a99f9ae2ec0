import { type Artifact, address } from "../../src/site.ts";

const ORIGIN = "https://small.example";

/** The objects that a page or sitemap refers to, by key. */
export function linkedKeys({ body }: Pick<Artifact, "body">): readonly string[] {
  const text = Buffer.from(body).toString("utf8");
  const found = text.matchAll(/(?:href|src)="([^"]*)"|<loc>([^<]*)<\/loc>/g);
  return [...found].flatMap(([, href, loc]) => {
    const path = (href ?? loc ?? "").replace(ORIGIN, "");
    return path.startsWith("/") ? [address(decodeURIComponent(path)).key] : [];
  });
}

/** Links from these objects, and from all they lead to, that lead nowhere: `from → to`. */
export function brokenLinks(
  objects: ReadonlyMap<string, Pick<Artifact, "body">>,
  from: Iterable<string> = objects.keys(),
): readonly string[] {
  const seen = new Set(from);
  const broken: string[] = [];
  for (const key of seen) {
    const object = objects.get(key);
    if (object === undefined) continue;
    for (const to of linkedKeys(object)) {
      if (objects.has(to)) seen.add(to);
      else broken.push(`${key} → ${to}`);
    }
  }
  return broken;
}
