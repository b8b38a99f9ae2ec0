/**
 * A process of its own for the crash tests: `ledger-child.ts open|intend|stage FILE [NAME]`.
 * It prints one line per step; `intend` then waits to be killed.
 */
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { article, intent, livePage, step } from "./fixtures.ts";

const [command, file = "", name = ""] = process.argv.slice(2);
const ledger = await openSqliteLedger(file);
console.log(ledger.id);
if (command === "intend") {
  await ledger.confirm("run", [livePage()]);
  await ledger.intend("run", [intent(), intent(article(2))], [{ ...livePage(), tags: [] }]);
  console.log("intended");
  setInterval(() => undefined, 1000);
} else if (command === "stage") {
  for (let key = 0; key < 200; key += 1) {
    await ledger.stage(name, [step(article(key))]);
    // Reads before it writes, so it needs the lock from its beginning.
    await ledger.setNote("last", `${name} ${key}`);
  }
  await ledger[Symbol.asyncDispose]();
}
