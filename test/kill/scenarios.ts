import type { CommandName } from "./commands.ts";
import type { StateName } from "./stage.ts";

/** A command that is killed, and what it finds. */
export interface Scenario {
  readonly name: string;
  readonly place: "bucket" | "folder";
  readonly given: StateName;
  readonly command: CommandName;
  /** What the site is then, and publishing is held; by default it is what a build from scratch makes. */
  readonly heldAt?: StateName;
}

/** All of them; a further one is a line here, with its command in `commands.ts`. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "a first build", place: "bucket", given: "empty", command: "build" },
  { name: "a build", place: "bucket", given: "built", command: "build" },
  { name: "a build into a folder", place: "folder", given: "built", command: "build" },
  { name: "a build of an emptied bucket", place: "bucket", given: "wiped", command: "build" },
  { name: "a build after another hand", place: "bucket", given: "foreign", command: "build" },
  { name: "a build after puts came late", place: "bucket", given: "late", command: "build" },
  { name: "a build with nothing to do", place: "bucket", given: "published", command: "build" },
  { name: "an import", place: "bucket", given: "empty", command: "import" },
  { name: "a rebuild", place: "bucket", given: "built", command: "rebuild" },
  { name: "the sending of invalidations", place: "bucket", given: "unsent", command: "build" },
  { name: "a retry of invalidations", place: "bucket", given: "refusing", command: "retry" },
  {
    name: "a rollback",
    place: "bucket",
    given: "published",
    command: "rollback",
    heldAt: "built",
  },
  {
    name: "a rollback in a folder",
    place: "folder",
    given: "published",
    command: "rollback",
    heldAt: "built",
  },
  { name: "a build after a rollback", place: "bucket", given: "held", command: "resume" },
  { name: "a takedown", place: "bucket", given: "published", command: "takedown" },
  { name: "an erasure in a folder", place: "folder", given: "published", command: "erasure" },
  { name: "the end of takedowns", place: "bucket", given: "away", command: "lift" },
  { name: "a repair", place: "bucket", given: "damaged", command: "repair" },
  { name: "a repair of a folder", place: "folder", given: "damaged", command: "repair" },
  { name: "an adoption", place: "bucket", given: "lost", command: "adopt" },
  { name: "a sweep of releases", place: "bucket", given: "published", command: "sweep" },
];
