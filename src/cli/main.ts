#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { join } from "node:path";

// What Node makes of our files it keeps: from the second time on a command starts in a third of the time.
// Beside the packages, since code in a folder for all users' temporary files would be anybody's.
enableCompileCache(join(import.meta.dirname, "../../node_modules/.cache/compiled"));
await import("./process.ts");
