import { describe } from "vitest";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { describeConditions } from "./conditions-contract.ts";
import { describeDeletes } from "./deletes-contract.ts";
import { describeObjectStore } from "./store-contract.ts";
import { describeVersions } from "./versions-contract.ts";

describe("memory with conditions", () => describeConditions(async () => memoryStore()));

describe("memory with conditions", () =>
  describeDeletes(async () => memoryStore(), { isSingle: false }));

describeObjectStore("memory", async () => memoryStore(), { keepsHeaders: true });

describe("memory with versions", () =>
  describeVersions(async () => memoryStore(new Map(), new Map())));
