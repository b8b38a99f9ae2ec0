import { parentPort, workerData } from "node:worker_threads";
import { int, table, text } from "../../src/site.ts";
import { feedOf, named, toldSince } from "./following.ts";

const posts = table("posts", { key: "id", columns: { id: int(), tag: text({ max: 20 }) } });

/** Follows in a thread with little memory, and says what it was told. */
const { url, start } = workerData as { readonly url: string; readonly start: string };
await using feed = feedOf(url, [posts], { silenceMs: 30_000 });
parentPort?.postMessage(named(await toldSince(feed, start)));
