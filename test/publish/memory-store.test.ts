import { memoryStore } from "../../src/publish/memory-store.ts";
import { describeObjectStore } from "./store-contract.ts";

describeObjectStore("memory", async () => memoryStore(), { keepsHeaders: true });
