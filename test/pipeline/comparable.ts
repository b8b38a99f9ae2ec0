import type { RunEvent } from "../../src/events.ts";
import { type Artifact, address } from "../../src/site.ts";

/**
 * True when a build can be compared with one from scratch, which knows no last good versions:
 * nothing failed but redirects that have none either.
 */
export function isComparable(
  events: readonly RunEvent[],
  objects: ReadonlyMap<string, Artifact>,
): boolean {
  return events.every((event) => {
    if (event.event !== "failed") return true;
    const route = decodeURIComponent(event.key);
    return event.kind === "redirect" && !objects.has(address(route).key);
  });
}
