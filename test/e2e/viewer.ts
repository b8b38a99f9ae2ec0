import { createHash } from "node:crypto";
import { readPage, type SeenPage } from "./page.ts";

/** GETs under way at once; each keeps its connection. */
const CONCURRENCY = 64;

/** What a GET gave. */
export interface Answer {
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** MD5 of the body's bytes in hexadecimal. */
  readonly md5: string;
}

/** A page of the site with the headers it came with; the body is read and forgotten. */
export interface Visit extends Omit<Answer, "body">, SeenPage {}

/** GETs one path as a browser does. */
export async function get(origin: string, path: string): Promise<Answer> {
  const response = await fetch(`${origin}${path}`, { redirect: "manual" });
  const bytes = Buffer.from(await response.arrayBuffer());
  const { status, headers } = response;
  const md5 = createHash("md5").update(bytes).digest("hex");
  return { path, status, headers, body: bytes.toString(), md5 };
}

/** GETs and parses pages; `site` is the origin that the pages' absolute links name. */
export async function visitAll(
  origin: string,
  paths: Iterable<string>,
  site: string,
): Promise<ReadonlyMap<string, Visit>> {
  const visits = new Map<string, Visit>();
  await each(paths, async (path) => {
    const { body, ...answer } = await get(origin, path);
    visits.set(path, { ...answer, ...readPage(body, `${site}${path}`) });
  });
  return visits;
}

/** GETs paths and tells each answer, in no particular order. */
export async function getAll(
  origin: string,
  paths: Iterable<string>,
  tell: (answer: Answer) => void,
): Promise<void> {
  await each(paths, async (path) => tell(await get(origin, path)));
}

async function each<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  // All workers draw from this one iterator.
  const queue = Iterator.from(items);
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
