import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "vitest";
import { BRAND } from "./brand.ts";
import { SHARED_VARIABLES } from "./shared.ts";

/**
 * Servers that no npm package brings. A suite names the plain one when it starts its own, and the shared one when it
 * uses `sharedMariaDb()` or `sharedRadosgw()`, which an address in the environment can serve too.
 */
export type Service = keyof typeof PROGRAMS | keyof typeof SHARED_VARIABLES;

const PROGRAMS: Readonly<Record<"mariadb" | "openssl" | "radosgw" | "redis" | "varnish", object>> =
  JSON.parse(readFileSync(new URL("programs.json", import.meta.url), "utf8"));

/** A suite that needs servers: visibly skipped on a machine without them, failed where CI=true. */
export function describeWith(
  services: Service | readonly Service[],
  name: string,
  suite: () => void,
): void {
  const missing = [services].flat().flatMap(missingPrograms);
  if (missing.length === 0) {
    describe(name, suite);
  } else if (process.env["CI"]) {
    test(`${name} finds ${missing.join(", ")}`, () => {
      throw new Error(
        "CI runs every suite: node test/services/setup.mjs installs what is missing.",
      );
    });
  } else {
    describe.skip(`${name} (skipped: no ${missing.join(", ")})`, suite);
  }
}

/** A test of what MariaDB alone has; skipped on MySQL, with the reason in its name. */
export function testOfMariaDb(why: string): (name: string, run: () => Promise<void>) => void {
  if (BRAND.flavour === "mariadb") return test;
  return (name) => test.skip(`${name} (skipped on MySQL: ${why})`);
}

function missingPrograms(service: Service): string[] {
  if (service !== "shared-mariadb" && service !== "shared-radosgw") {
    const programs = service === "mariadb" && process.env["MYSQLD"] ? [] : PROGRAMS[service];
    return Object.keys(programs).filter((program) => !isOnPath(program));
  }
  if (process.env[SHARED_VARIABLES[service]]) return [];
  return missingPrograms(service === "shared-mariadb" ? "mariadb" : "radosgw");
}

function isOnPath(program: string): boolean {
  const folders = [process.env["PATH"], "/usr/local/sbin", "/usr/sbin", "/sbin"].join(delimiter);
  return folders.split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
