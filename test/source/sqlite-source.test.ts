import { sqliteDatabase } from "./database.ts";
import { describeSource } from "./source-contract.ts";

describeSource("SQLite", sqliteDatabase);
