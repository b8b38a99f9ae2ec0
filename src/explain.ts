export { type Affects, affects, type Reach } from "./explain/affects.ts";
export { type Due, dueNext } from "./explain/due.ts";
export { type Leaving, type Lingering, leavingNext, lingeringNext } from "./explain/leaving.ts";
export { openLook } from "./explain/look.ts";
export { type Why, why } from "./explain/why.ts";
