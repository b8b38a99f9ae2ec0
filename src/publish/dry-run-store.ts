import type { Artifact } from "../site.ts";
import type { ObjectStore } from "./store.ts";

/** What a dry run would have done to the store. */
export type DryRunStep =
  | { readonly action: "put"; readonly artifact: Artifact }
  | { readonly action: "delete" | "erase"; readonly key: string };

/**
 * Wraps a store so that it is read but never written. What would have been written goes to
 * `report`, one object at a time and in order; reading it back gives what was there before.
 */
export function dryRunStore(store: ObjectStore, report: (step: DryRunStep) => void): ObjectStore {
  return {
    name: `${store.name} (dry run)`,
    foldsCase: store.foldsCase,
    isConditional: store.isConditional,
    deleteConditions: store.deleteConditions,
    lateWritesMs: store.lateWritesMs,
    keepsHeaders: store.keepsHeaders,
    check: () => store.check(),
    list: (prefix) => store.list(prefix),
    get: (...of) => store.get(...of),
    head: (...of) => store.head(...of),
    keepsVersions: () => store.keepsVersions(),
    versions: (key) => store.versions(key),
    async put(artifact) {
      report({ action: "put", artifact });
      return undefined;
    },
    async delete(keys) {
      for (const key of keys) report({ action: "delete", key });
      return [];
    },
    async erase(keys, { keepsCurrent = false } = {}) {
      if (!keepsCurrent) for (const key of keys) report({ action: "erase", key });
    },
    removeRemains: async () => {},
  };
}
