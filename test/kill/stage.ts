import { copyFileSync, existsSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { exportQuarantine } from "../../src/pipeline/quarantine.ts";
import { exportHistory } from "../../src/pipeline/route-history.ts";
import type { Wired } from "../../src/pipeline.ts";
import { smallWorld } from "../pipeline/world.ts";
import type { CloudFrontApi } from "../services/cloudfront-api.ts";
import type { RequestLine } from "../services/faults.ts";
import type { MemoryS3 } from "../services/memory-s3.ts";
import { KEPT, obey, openWired, type Places } from "./asked.ts";
import { type Bundle, bundleChild } from "./bundle.ts";
import { type CommandName, EXPORTS } from "./commands.ts";
import {
  type Bucket,
  openBucket,
  openFolder,
  type Place,
  type Saved,
  type Shown,
} from "./place.ts";
import { withPoints } from "./points.ts";
import { runChild } from "./process.ts";
import { firstRows, nextRows, spoilRow } from "./story.ts";

/** Where a scenario begins. */
export type StateName =
  /** Nothing was ever published. */
  | "empty"
  /** What was built; then rows and files changed. */
  | "built"
  /** The same, with an empty store. */
  | "wiped"
  /** The same, but that another hand has altered and deleted objects that the changes are of. */
  | "foreign"
  /** The same, before a CDN that refuses what it is told next. */
  | "refusing"
  /** The changes are put, and the CDN was not told. */
  | "unsent"
  /** The changes were taken back, and then puts took place that had been asked for before. */
  | "late"
  /** The changes are published. */
  | "published"
  /** … and rolled back. */
  | "held"
  /** The changes are published, and pages taken down. */
  | "away"
  /** The same, but that another hand has altered and deleted objects. */
  | "damaged"
  /** The same, but that the ledger is a new one. */
  | "lost";

/** What is saved of a ledger and a place, to begin from it again and again. */
interface State {
  /** Copies of the files that the ledger is in, and what was kept of former pages. */
  readonly files: readonly Copy[];
  /** What readers saw. */
  readonly shown: Shown;
  readonly place: Saved;
  /** File of the rows that runs find. */
  readonly source: string;
  /** Of the next run. */
  readonly attempt: number;
}

/** One place with the states in which a command may find it. */
export interface Stage {
  readonly place: Place;
  /** As of the last restoration. */
  readonly places: () => Places;
  /** What readers saw in a state. */
  readonly shownIn: (state: StateName) => Shown;
  /** Makes the place and the ledger what they were; gives the number of the next attempt. */
  restore(state: StateName): number;
  /** Lets runs find the rows that the site was built of. */
  takeBack(): void;
  /** Opens the place's parts, for a run in this process. */
  open(attempt: number): Promise<Wired>;
}

/** What all kill tests share: one site whose rows have changed since it was built. */
export interface Stages extends AsyncDisposable {
  readonly bundle: Bundle;
  readonly bucket: Stage & { readonly place: Bucket };
  readonly folder: Stage;
}

/** A file, and its copy. */
interface Copy {
  readonly of: string;
  readonly copy: string;
}

const LEDGER = "ledger.db";
/** Of the files that one database is in. */
const ENDS = ["", "-wal", "-shm"];
/** Rows of which all but one make pages; when a bucket is emptied no last good version is left. */
const WHOLE_ROWS = "whole.db";
/** Objects that another hand deletes, the first, and writes. */
const DAMAGED = ["index.html", "posts/p4/index.html", "topics/x/index.html"];
/** Rows as they were when the site was built. */
const FIRST_ROWS = "first.db";
const ROWS: Readonly<Partial<Record<StateName, string>>> = { wiped: WHOLE_ROWS, late: FIRST_ROWS };

/** Builds the site in a bucket and in a folder, then changes rows and files. */
export async function openStages(): Promise<Stages> {
  await using parts = new AsyncDisposableStack();
  const world = parts.use(await smallWorld(0));
  const bundle = parts.use(await bundleChild());
  const { site } = world;
  const stageAt = (place: Place) => openStage(site, place, bundle);
  const place = parts.use(await openBucket());
  const bucket = { ...(await stageAt(place)), place };
  const folder = await stageAt(parts.use(openFolder(site.dir)));
  const both = [bucket, folder];
  for (const each of both) await each.begin();
  firstRows(world);
  for (const each of both) await each.build();
  copyFileSync(site.source, join(site.dir, FIRST_ROWS));
  await nextRows(world);
  copyFileSync(site.source, join(site.dir, WHOLE_ROWS));
  spoilRow(world);
  bucket.refuse(place.faults.cdn);
  await bucket.leaveUnsent();
  await bucket.leaveLate(place.faults.s3);
  for (const each of both) await each.publish();
  const open = parts.move();
  return { bundle, bucket, folder, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

async function openStage(site: Places["site"], place: Place, bundle: Bundle) {
  const states = new Map<StateName, State>();
  let { source } = site;
  const places = (): Places => ({
    site: { dir: site.dir, source },
    ledger: LEDGER,
    ...place.places,
  });
  const file = join(site.dir, LEDGER);
  const files = [file, join(site.dir, KEPT)];
  const clear = () => {
    for (const each of files) for (const end of ENDS) rmSync(each + end, { force: true });
  };
  const stateOf = (name: StateName) => {
    const state = states.get(name);
    if (state === undefined) throw new Error(`${place.name} was never ${name}.`);
    return state;
  };
  const save = (name: StateName, attempt: number) => {
    const copies = files
      .filter((each) => existsSync(each))
      .map((of) => ({ of, copy: `${of}-${place.name}-${name}` }));
    for (const { of, copy } of copies) copyFileSync(of, copy);
    const rows = join(site.dir, ROWS[name] ?? basename(site.source));
    const saved = { place: place.save(name), shown: place.shown() };
    states.set(name, { files: copies, source: rows, attempt, ...saved });
  };
  const stage: Stage = {
    place,
    places,
    shownIn: (name) => stateOf(name).shown,
    restore(name) {
      const state = stateOf(name);
      clear();
      for (const { of, copy } of state.files) copyFileSync(copy, of);
      state.place.restore();
      source = state.source;
      return state.attempt;
    },
    takeBack() {
      source = join(site.dir, FIRST_ROWS);
    },
    open: (attempt) => openWired(places(), attempt),
  };
  /** A new ledger. */
  const forget = async () => {
    clear();
    await (await openSqliteLedger(file))[Symbol.asyncDispose]();
  };
  const run = async (from: StateName, command: CommandName = "build") => {
    const attempt = stage.restore(from);
    await using wired = await stage.open(attempt);
    await obey(wired, { command, attempt, site });
    return attempt + 1;
  };
  return {
    ...stage,
    async begin() {
      await forget();
      save("empty", 0);
    },
    async build() {
      const attempt = await run("empty");
      save("built", attempt);
      place.damage(DAMAGED);
      save("foreign", attempt);
      place.wipe();
      save("wiped", attempt);
    },
    /** Publishes the changes, exports what another ledger would need to know, and rolls back. */
    async publish() {
      const attempt = await run("built");
      save("published", attempt);
      await exportFrom(stage, attempt);
      place.damage(DAMAGED);
      save("damaged", attempt);
      stage.restore("published");
      await forget();
      save("lost", attempt);
      save("away", await run("published", "takedown"));
      save("held", await run("published", "rollback"));
    },
    /** The CDN refuses the first batch that it is told. */
    refuse(faults: CloudFrontApi["faults"]) {
      const built = stateOf("built");
      const restore = () => {
        built.place.restore();
        faults.clear();
        faults.next(1, "invalid", ({ method }) => method === "POST");
      };
      states.set("refusing", { ...built, place: { restore } });
    },
    /** A build that died before it told the CDN of what it had put. */
    async leaveUnsent() {
      const killAt = (await pointsOf(stage, "built", "build")).indexOf("cdn.send before") + 1;
      const attempt = stage.restore("built");
      await runChild(bundle, { ...places(), command: "build", attempt, killAt });
      await place.settled();
      // Closing them writes what the dead process left in the logs of its files.
      await (await stage.open(attempt))[Symbol.asyncDispose]();
      save("unsent", attempt + 1);
    },
    /** A build that died while it put new pages, which are none any more when the puts take place. */
    async leaveLate(faults: MemoryS3["faults"]) {
      const attempt = stage.restore("built");
      const asked = { ...places(), command: "build", attempt } as const;
      const [puts, come] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const isNewPost = ({ method, path }: RequestLine) => {
        const isPut = method === "PUT" && path.includes("/posts/");
        if (isPut) puts.resolve();
        return isPut;
      };
      faults.rate(1, { until: come.promise }, { seed: 1, match: isNewPost });
      await runChild(bundle, asked, puts.promise);
      faults.clear();
      stage.takeBack();
      const wired = await stage.open(attempt + 1);
      await obey(wired, { command: "build", attempt: attempt + 1, site });
      await wired[Symbol.asyncDispose]();
      come.resolve();
      await place.settled();
      save("late", attempt + 2);
    },
  };
}

async function exportFrom(stage: Stage, attempt: number): Promise<void> {
  await using wired = await stage.open(attempt);
  const lines = { history: exportHistory(wired.ledger), quarantine: exportQuarantine(wired) };
  for (const name of EXPORTS) {
    const text = (await Array.fromAsync(lines[name])).map((line) => `${line}\n`).join("");
    await writeFile(join(stage.places().site.dir, `${name}.ndjson`), text);
  }
}

/** The points of an undisturbed run, in their order: `ledger.intend before`. */
export async function pointsOf(
  stage: Stage,
  state: StateName,
  command: CommandName,
): Promise<readonly string[]> {
  const points: string[] = [];
  const attempt = stage.restore(state);
  await using wired = await stage.open(attempt);
  const pointed = withPoints(wired, (effect, when) => points.push(`${effect} ${when}`));
  await obey(pointed, { command, attempt, ...stage.places() });
  return points;
}
