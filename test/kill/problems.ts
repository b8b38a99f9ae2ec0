import { join } from "node:path";
import { PipelineError } from "../../src/error.ts";
import type { Summary } from "../../src/events.ts";
import { noCdn } from "../../src/invalidate/none.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { importQuarantine } from "../../src/pipeline/import-quarantine.ts";
import { exportQuarantine } from "../../src/pipeline/quarantine.ts";
import { exportHistory, importHistory } from "../../src/pipeline/route-history.ts";
import { exportTakedowns, importTakedowns, type Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { Artifact } from "../../src/site.ts";
import { dumpLedger } from "../pipeline/ledger-dump.ts";
import { bake, differences, served } from "../pipeline/small-site.ts";
import type { Invalidation } from "../services/invalidations.ts";
import { type Asked, momentOf } from "./asked.ts";
import type { CommandName } from "./commands.ts";
import type { Shown } from "./place.ts";
import type { Scenario } from "./scenarios.ts";
import type { Stage } from "./stage.ts";

/** What was run, and the next attempt. */
export interface Ran extends Pick<Asked, "attempt">, Pick<Scenario, "command" | "heldAt"> {
  /** A put that failed may have happened, and readers have seen it: then its page is told once more. */
  readonly mayPayAgain?: boolean;
}

/** What is not as it should be when all is done, in words: at best nothing. */
export async function problemsOf(stage: Stage, ran: Ran): Promise<readonly string[]> {
  const { place } = stage;
  const { attempt } = ran;
  await using wired = await stage.open(attempt);
  const { heldAt } = ran;
  const wanted =
    heldAt === undefined ? await scratch(stage, wired, attempt) : stage.shownIn(heldAt);
  // Assets that were replaced stay for a day.
  const isOurs = (key: string) => !key.startsWith("assets/") || wanted[key] !== undefined;
  const actual = Object.entries(place.shown()).filter(([key]) => isOurs(key));
  return [
    ...differences(Object.fromEntries(actual), wanted),
    ...place.stale().map((path) => `${path} is stale at the edge`),
    ...(ran.mayPayAgain ? [] : paidTwice(place.invalidations())),
    ...(await leftIn(wired.ledger)),
    ...(await idleProblems(stage, wired, ran)),
  ];
}

/** Builds from scratch by place, file and ledger inputs. */
const made = new Map<string, Promise<Shown>>();

/** What a build from scratch shows, given the inputs that only the ledger knows. */
async function scratch(stage: Stage, wired: Wired, attempt: number): Promise<Shown> {
  const history = await Array.fromAsync(exportHistory(wired.ledger));
  const quarantine = await Array.fromAsync(exportQuarantine(wired));
  const bars = await Array.fromAsync(exportTakedowns(wired.ledger));
  const name = JSON.stringify([stage.place.name, stage.places().site, history, quarantine, bars]);
  const known = made.get(name) ?? make({ history, quarantine, bars });
  made.set(name, known);
  return await known;

  async function make(inputs: Inputs): Promise<Shown> {
    const objects = new Map<string, Artifact>();
    await using ledger = await openSqliteLedger(":memory:");
    const { foldsCase } = wired.store;
    const own = { ...wired, ledger, store: { ...memoryStore(objects), foldsCase }, cdn: noCdn };
    const now = () => momentOf(attempt);
    const signal = new AbortController().signal;
    await importHistory(own, inputs.history, "history");
    await importTakedowns(own, inputs.bars, { file: "bars", signal });
    await importQuarantine(own, inputs.quarantine, { file: "q", signal, emit: () => {}, now });
    await bake(own, { now });
    const shown = [...served(objects)].map(([key, artifact]) => [
      key,
      stage.place.showArtifact(artifact),
    ]);
    return Object.fromEntries(shown);
  }
}

interface Inputs {
  readonly history: readonly string[];
  readonly quarantine: readonly string[];
  readonly bars: readonly string[];
}

/** No row has changed since the first run, so nothing is worth a second invalidation. */
function paidTwice(invalidations: readonly Invalidation[]): readonly string[] {
  const items = invalidations.flatMap((each) => each.items);
  const twice = items.filter((item, at) => items.indexOf(item) !== at);
  return twice.map((item) => `${item} was paid for twice`);
}

/** What the journal still holds. */
async function leftIn(ledger: Ledger): Promise<readonly string[]> {
  const kinds = await ledger.liveKinds();
  const live = await Promise.all(kinds.map((kind) => ledger.live(kind, undefined, 1000)));
  const unknown = live.flat().filter(({ hash }) => hash === undefined);
  return [
    ...(await ledger.intents()).map(({ route }) => `the put of ${route} is not confirmed`),
    ...((await ledger.hasOutbox()) ? ["something waits in the outbox"] : []),
    ...unknown.map(({ route }) => `nobody knows what is at ${route}`),
  ];
}

/** Commands that end with a rebuild. */
const REBUILDS: readonly CommandName[] = ["rebuild", "takedown", "erasure", "lift"];
/** Of what a dead process may have asked for; once nothing can come of it any more it is forgotten. */
const LINGERING = "nb_lingering";

/** A further build writes nothing, neither outside nor into the ledger; while publishing is held it is refused. */
async function idleProblems(
  stage: Stage,
  wired: Wired,
  { command, attempt, heldAt }: Ran,
): Promise<readonly string[]> {
  const { site, ledger } = stage.places();
  const file = join(site.dir, ledger);
  const trail = stage.place.trail();
  const further = async () => {
    const dump = dumpLedger(file);
    const now = () => momentOf(attempt);
    const end = await bake(wired, { now }).catch((error: unknown) => error);
    const after = dumpLedger(file);
    const isWritten = (table: string) =>
      JSON.stringify(after[table], plain) !== JSON.stringify(dump[table], plain);
    return { end, written: Object.keys(after).filter(isWritten) };
  };
  let { end, written } = await further();
  // After a rebuild a build looks at what that one was told of, and records that it did.
  const isExcused = REBUILDS.includes(command) || written.join() === LINGERING;
  if (isExcused) ({ end, written } = await further());
  return [
    ...(isExpected(end, heldAt !== undefined) ? [] : [`a further build ended with ${end}`]),
    ...(stage.place.trail() === trail ? [] : ["a further build wrote to the store or the CDN"]),
    ...written.map((table) => `a further build wrote to ${table}`),
  ];
}

function isExpected(end: unknown, isHeld: boolean): boolean {
  if (isHeld) return end instanceof PipelineError && end.code === "publishing_held";
  return !(end instanceof Error) && (end as Summary).release === undefined;
}

function plain(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
