import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { readConfig } from "../../src/config.ts";
import type { Ledger, LivePage } from "../../src/ledger/ledger.ts";
import { build } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { Artifact } from "../../src/site.ts";
import { openBuild } from "../../src/wiring.ts";

/** What a child process is told on its standard input. */
export interface RenderAsked {
  /** Folder that holds `source.db`; the ledger is made there. */
  readonly home: string;
  /** The site's definition. */
  readonly configFile: string;
  readonly concurrency: number;
  /** What the child's clock says at its start, ms. */
  readonly clockMs: number;
}

/** What it rendered, as its standard output. */
export interface RenderTold {
  /** By key: digest of the bytes, headers, the hash we keep. */
  readonly objects: Readonly<Record<string, readonly unknown[]>>;
  /** Every live page as the ledger has it: all that an equal build would compare. */
  readonly live: readonly unknown[];
  readonly failed: readonly string[];
  /** What differs between children, to show that it does. */
  readonly around: {
    readonly locale: string;
    readonly zone: string;
    readonly year: number;
    readonly chance: number;
  };
}

const asked: RenderAsked = JSON.parse(await text(process.stdin));
setClock(asked.clockMs);
process.stdout.write(JSON.stringify(await render(asked)));

async function render({ home, configFile, concurrency }: RenderAsked): Promise<RenderTold> {
  const env = { NIGHTBAKE_HOME: home, NIGHTBAKE_CONCURRENCY: String(concurrency) };
  const config = readConfig({ env, cwd: home, options: { config: configFile } });
  const objects = new Map<string, Artifact>();
  const failed: string[] = [];
  await using wired = await openBuild(config);
  await build(
    { ...wired, store: memoryStore(objects) },
    {
      allowDeletes: false,
      isDryRun: false,
      signal: new AbortController().signal,
      emit: (event) => {
        if (event.event === "failed") failed.push(`${event.kind} ${event.key} ${event.error.code}`);
      },
    },
  );
  return { objects: shown(objects), live: await livePages(wired.ledger), failed, around: around() };
}

/** Without the marker, which names the ledger. */
function shown(objects: ReadonlyMap<string, Artifact>): RenderTold["objects"] {
  const served = [...objects].filter(([key]) => !key.startsWith(".")).sort();
  return Object.fromEntries(
    served.map(([key, { body, contentType, cacheControl, metadata, hash }]) => {
      const bytes = createHash("sha256").update(body).digest("hex");
      return [key, [bytes, contentType, cacheControl, metadata, hash.toString("hex")]];
    }),
  );
}

async function livePages(ledger: Ledger): Promise<readonly unknown[]> {
  const live: LivePage[] = [];
  for (const kind of await ledger.liveKinds()) {
    live.push(...(await ledger.live(kind, undefined, 1_000_000)));
  }
  return live.map((page) =>
    Object.entries(page).map(([name, value]) =>
      value instanceof Uint8Array ? [name, Buffer.from(value).toString("base64")] : [name, value],
    ),
  );
}

function around(): RenderTold["around"] {
  const { locale, timeZone: zone } = Intl.DateTimeFormat().resolvedOptions();
  return { locale, zone, year: new Date().getFullYear(), chance: Math.random() };
}

/** Moves this process's clock; it goes on from there. */
function setClock(atMs: number): void {
  const Real = Date;
  const shift = atMs - Real.now();
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, of) =>
      Reflect.construct(target, args.length === 0 ? [Real.now() + shift] : args, of),
    get: (target, name) =>
      name === "now" ? () => Real.now() + shift : Reflect.get(target, name, target),
  });
}
