import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PipelineError } from "../../src/error.ts";
import { importQuarantine } from "../../src/pipeline/import-quarantine.ts";
import { importHistory } from "../../src/pipeline/route-history.ts";
import {
  type BuildOptions,
  build,
  rebuildAround,
  resume,
  retryInvalidations,
  rollback,
  sweep,
  takeDown,
  type Wired,
} from "../../src/pipeline.ts";
import { adopt } from "../../src/verify/adopt.ts";
import { openDamage, repair } from "../../src/verify/repair.ts";
import { verify } from "../../src/verify.ts";

/** What a command may be told beside a build's options. */
export interface CommandOptions extends BuildOptions {
  /** The site's folder, with what was exported. */
  readonly dir: string;
}

/** What a process is started for; a command that is run again goes on where it was cut off. */
type Command = (wired: Wired, options: CommandOptions) => Promise<unknown>;

/** Every row that the story changes, as targets of a rebuild. */
const CHANGED = Array.from({ length: 9 }, (_, at) => at + 1).flatMap((id) => [
  `posts:${id}`,
  `topics:x,${id}`,
  `topics:z,${id}`,
]);

/** The commands that are killed. */
export const COMMANDS = {
  build,
  rebuild: (wired, options) => build(wired, { ...options, targets: [...CHANGED, "people:ann"] }),
  /** What the CDN refused is sent again, as other batches. */
  async retry(wired, options) {
    await build(wired, options).catch((error: unknown) => {
      if (!(error instanceof PipelineError) || error.code !== "cdn_rejected") throw error;
    });
    await retryInvalidations(wired, options);
    return await build(wired, options);
  },
  /** Back to the first release. */
  rollback: (wired, options) => rollback(wired, 1, options),
  /** … and forth again. */
  async resume(wired, options) {
    await resume(wired);
    return await build(wired, options);
  },
  /** A page that moved once, and a list. */
  takedown: (wired, options) => away(wired, options, ["/posts/moved/", "/topics/z/"]),
  /** With all that is kept of it. */
  erasure: (wired, options) => away(wired, { ...options, isErased: true }, ["/posts/moved/"]),
  /** All come back. */
  async lift(wired, options) {
    await wired.ledger.lift(await wired.ledger.bars());
    return await rebuildAround(wired, options);
  },
  /** Forgets all but the last release. */
  sweep: (wired, { now = () => 0, signal }) =>
    sweep({ ...wired, keep: { releases: 1, days: 0 } }, { now: now(), signal }),
  /** Looks at every object and puts right what is wrong; cut off, the next build does the rest. */
  async repair(wired, options) {
    const found = openDamage();
    const asked = { ...options, sample: Number.POSITIVE_INFINITY, edge: undefined };
    await verify(wired, { ...asked, onFindings: found.add });
    const damage = found.damage();
    if (damage.findings.length > 0) await repair(wired, damage, asked);
    return await build(wired, options);
  },
  /** A new ledger takes the store over; cut off, that begins anew, until a build has claimed what is there. */
  async adopt(wired, options) {
    if ((await wired.ledger.release()) === 0) await adopt(wired, { ...options, onPrice: () => {} });
    return await importAll(wired, options);
  },
  /** A new ledger is given the inputs of another, then builds. */
  import: importAll,
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof COMMANDS;

/** Files of the site's folder that hold what was exported. */
export const EXPORTS = ["history", "quarantine"] as const;

async function away(
  wired: Wired,
  { now = () => 0, signal, isErased = false, ...options }: CommandOptions & { isErased?: boolean },
  routes: readonly string[],
) {
  await takeDown(wired, routes, { reason: "", isErased, since: now(), signal });
  return await rebuildAround(wired, { ...options, now, signal });
}

function exported({ dir }: CommandOptions, name: (typeof EXPORTS)[number]): readonly string[] {
  const lines = readFileSync(join(dir, `${name}.ndjson`), "utf8").split("\n");
  return lines.filter((line) => line !== "");
}

async function importAll(wired: Wired, options: CommandOptions): Promise<unknown> {
  await importHistory(wired, exported(options, "history"), "history");
  const file = "quarantine";
  await importQuarantine(wired, exported(options, file), { ...options, file });
  return await build(wired, options);
}
