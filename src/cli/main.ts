#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// What Node makes of our files it keeps: from the second time on a command starts in a third of the time.
enableCompileCache();
await import("./process.ts");
