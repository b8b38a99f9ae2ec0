import { describeWith } from "../services/requires.ts";
import { mysqlDatabase } from "./database.ts";
import { describeSource } from "./source-contract.ts";

describeWith("shared-mariadb", "On a real server", () => {
  describeSource("MariaDB", mysqlDatabase);
});
