import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./daemon.ts";

/** What MariaDB and Oracle's MySQL want differently of who starts them and makes them follow each other. */
interface Brand {
  readonly flavour: "mariadb" | "mysql";
  /** Of the server; a name or a path. */
  readonly program: string;
  /** Compares by bytes and pads nothing. */
  readonly byteCollation: string;
  /** Beside those that both understand. */
  readonly args: readonly string[];
  /** Makes the system tables in `template` of the folder, to be copied for each server. */
  install(dir: string, password: string): Promise<void>;
  /** Arguments of a server that starts in a folder with `template`. */
  starting(dir: string): readonly string[];
  /** As in `STOP SLAVE`. */
  readonly replica: "SLAVE" | "REPLICA";
  /** `CHANGE MASTER TO MASTER_DELAY = 3` for `{ DELAY: 3 }`. */
  change(settings: Readonly<Record<string, string | number>>): string;
  /** Further settings of a server that has not followed yet. */
  readonly byGtid: Readonly<Record<string, string | number>>;
  readonly reloadTls: string;
  readonly position: string;
  /** Gives 0 when the position is reached in so many seconds. */
  readonly wait: string;
}

const MARIADB: Brand = {
  flavour: "mariadb",
  program: "mariadbd",
  byteCollation: "utf8mb4_nopad_bin",
  args: ["--gtid-domain-id=0", "--gtid-strict-mode=ON", "--innodb-log-file-size=32M"],
  async install(dir, password) {
    // Not in the binlog: every server runs the file itself.
    const users = ["localhost", "127.0.0.1"].map(
      (host) => `CREATE OR REPLACE USER ${rootUser(host, password)}`,
    );
    writeFileSync(join(dir, "init.sql"), ["SET sql_log_bin = 0;", ...users].join("\n"));
    const flags = ["--auth-root-authentication-method=normal", "--skip-test-db", ...asUser()];
    const own = ["--no-defaults", `--datadir=${dir}/template`];
    await run({ name: "install", dir, command: ["mariadb-install-db", ...own, ...flags] });
  },
  starting: (dir) => [`--init-file=${dir}/init.sql`],
  replica: "SLAVE",
  change: (settings) => `CHANGE MASTER TO ${assigned("MASTER_", settings)}`,
  byGtid: { USE_GTID: "slave_pos" },
  reloadTls: "FLUSH SSL",
  position: "SELECT @@gtid_binlog_pos AS position",
  wait: "SELECT MASTER_GTID_WAIT(?, ?) AS result",
};

function oracle(program: string): Brand {
  return {
    flavour: "mysql",
    program,
    byteCollation: "utf8mb4_0900_bin",
    args: [
      ...["--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--mysqlx=OFF"],
      ...["--secure-file-priv=NULL", "--innodb-redo-log-capacity=64M"],
      // It outlives its own end all the same, if not the machine's.
      "--innodb-flush-method=nosync",
    ],
    async install(dir, password) {
      const file = join(dir, "init.sql");
      const local = `ALTER USER root@'localhost' IDENTIFIED BY '${password}';`;
      writeFileSync(file, `${local}\nCREATE USER ${rootUser("127.0.0.1", password)}`);
      const own = ["--no-defaults", "--initialize-insecure", `--datadir=${dir}/template`];
      const flags = [`--init-file=${file}`, "--secure-file-priv=NULL", ...asUser()];
      await run({ name: "install", dir, command: [program, ...own, ...flags] });
      // Each server gives itself an id at its first start.
      rmSync(join(dir, "template", "auto.cnf"), { force: true });
    },
    starting: () => [],
    replica: "REPLICA",
    change: (settings) =>
      `CHANGE REPLICATION SOURCE TO ${assigned("SOURCE_", settings)}, GET_SOURCE_PUBLIC_KEY = 1`,
    byGtid: { AUTO_POSITION: 1 },
    reloadTls: "ALTER INSTANCE RELOAD TLS",
    position: "SELECT @@global.gtid_executed AS position",
    wait: "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS result",
  };
}

function assigned(prefix: string, settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${prefix}${name} = ${value}`)
    .join(", ");
}

function rootUser(host: string, password: string): string {
  return (
    `root@'${host}' IDENTIFIED BY '${password}';\n` +
    `GRANT ALL ON *.* TO root@'${host}' WITH GRANT OPTION;`
  );
}

/** Both refuse to run as root unless told so; as root a change of user would cost us the folder. */
export function asUser(): string[] {
  return process.getuid?.() === 0 ? ["--user=root"] : [];
}

const mysqld = process.env["MYSQLD"];

/** MariaDB, or the MySQL server that `MYSQLD` names: see docs/reference/mysql.md. */
export const BRAND: Brand = mysqld ? oracle(mysqld) : MARIADB;
