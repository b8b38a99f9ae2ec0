import { describe } from "vitest";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { describeConditions } from "./conditions-contract.ts";
import { describeObjectStore } from "./store-contract.ts";

describe("memory with conditions", () => describeConditions(async () => memoryStore()));

describeObjectStore("memory", async () => memoryStore(), { keepsHeaders: true });
