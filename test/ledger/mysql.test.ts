import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { describeLedger } from "./ledger-contract.ts";
import { testAgainstModel } from "./ledger-property.ts";

describeWith("shared-mariadb", "MariaDB", () => {
  const newDatabase = async () => (await sharedMariaDb()).createDatabase();

  describeLedger("MariaDB", async () => {
    const url = await newDatabase();
    return { open: () => openMysqlLedger(url) };
  });

  testAgainstModel(async () => openMysqlLedger(await newDatabase()), 15);
});
