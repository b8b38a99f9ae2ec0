import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import { mysqlAddress } from "../../src/mysql-address.ts";
import { mysqlPool } from "../../src/source/mysql-connection.ts";
import { BRAND } from "../services/brand.ts";
import { run } from "../services/daemon.ts";
import { type MariaDb, startMariaDb } from "../services/mariadb.ts";
import { describeWith } from "../services/requires.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test.each([
  ["mysql://u:p@db.internal/x", { verifyIdentity: true }],
  ["mysql://u:p@db.internal/x?ssl=true", { verifyIdentity: true }],
  ["mysql://u:p@db.internal/x?ssl=skip-verify", { rejectUnauthorized: false }],
  ["mysql://u:p@db.internal/x?ssl=false", undefined],
  [
    'mysql://u:p@db.internal/x?ssl={"minVersion":"TLSv1.3"}',
    { verifyIdentity: true, minVersion: "TLSv1.3" },
  ],
  ['mysql://u:p@10.0.0.5/x?ssl={"ca":"PEM"}', { ca: "PEM" }],
  ["mysql://u:p@localhost/x", undefined],
  ["mysql://u:p@[::1]/x", undefined],
  ["mysql://u:p@db.internal/x?socketPath=/run/mysqld.sock", undefined],
])("%s is protected by %j", (url, options) => {
  expect(mysqlAddress(url).ssl).toEqual(options);
});

test.each([
  "10.0.0.5/x",
  "10.0.0.5/x?ssl=true",
  "db.internal/x?ssl=/no/such.pem",
  "db.internal/x?ssl={",
])("mysql://u:s3cret@%s is refused: nothing would be verified", (rest) => {
  const refused = expect.objectContaining({ code: "config_invalid" });

  expect(() => mysqlAddress(`mysql://u:s3cret@${rest}`)).toThrow(refused);
});

describeWith(["mariadb", "openssl"], "A server with a certificate of a private authority", () => {
  const dir = temporaryFolder("nightbake-tls-");
  let server: MariaDb;
  beforeAll(async () => {
    await openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
    );
    await openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other -keyout other.key -out other.pem",
    );
    await openssl(
      "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout key.pem -out request.pem",
    );
    await certify("elsewhere.internal");
    server = await startMariaDb({
      // MySQL reloads no certificate that its own authority did not give.
      args: ["ca=ca", "cert=cert", "key=key"]
        .filter((each) => BRAND.flavour === "mysql" || !each.startsWith("ca"))
        .map((each) => `--ssl-${each.replace("=", `=${dir}/`)}.pem`),
    });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const openssl = (args: string) =>
    run({ name: "openssl", dir, command: ["openssl", ...args.split(" ")] });

  const certify = async (name: string) => {
    writeFileSync(join(dir, "names"), `subjectAltName=DNS:${name}`);
    await openssl(
      "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem",
    );
  };

  const at = (host: string, ssl: string) => {
    const url = new URL(`${server.url}/mysql?ssl=${ssl}`);
    url.hostname = host;
    return url.href;
  };

  /** The cipher of a connection; empty without TLS. */
  async function cipher(host: string, ssl: string): Promise<unknown> {
    await using pool = mysqlPool(at(host, ssl));
    const connection = await pool.connect();
    const [[, name] = []] = await connection.all("SHOW STATUS LIKE 'Ssl_cipher'");
    await connection.release();
    return name;
  }

  test("is trusted when its authority is, and it is the one that was meant", async () => {
    const refused = { code: "source_rejected", hint: expect.stringContaining("DATABASE_CA_FILE") };

    await expect(cipher("localhost", `${dir}/ca.pem`)).rejects.toMatchObject(refused);
    await expect(openMysqlLedger(at("localhost", `${dir}/ca.pem`))).rejects.toMatchObject({
      ...refused,
      code: "ledger_rejected",
    });
    expect(await cipher("127.0.0.1", `${dir}/ca.pem`)).toMatch(/TLS/);
    await certify("localhost");
    await server.query(BRAND.reloadTls);

    expect(await cipher("localhost", `${dir}/ca.pem`)).toMatch(/TLS/);
    expect(await cipher("localhost", "skip-verify")).toMatch(/TLS/);
    expect(await cipher("localhost", "false")).toBe("");
    await expect(cipher("localhost", `${dir}/other.pem`)).rejects.toMatchObject(refused);
    await expect(cipher("localhost", "true")).rejects.toMatchObject(refused);
  });
});
