// Makes sure that the servers the tests start exist on this machine; `npm test` calls this first.
// Plain JavaScript for Node 18 and later, since it may run before the pinned Node is in use.
import { spawnSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";

/** Servers live here on Debian, outside an ordinary user's PATH. */
const SERVER_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/** Debian asks this file before a package starts its server; 101 means no. */
const POLICY = "/usr/sbin/policy-rc.d";
const PROGRAMS = Object.assign(
  {},
  ...Object.values(JSON.parse(readFileSync(new URL("programs.json", import.meta.url), "utf8"))),
);

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function has(program) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...SERVER_FOLDERS];
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function missingPrograms() {
  return Object.keys(PROGRAMS).filter((program) => !has(program));
}

function packagesOf(programs) {
  return [...new Set(programs.flatMap((program) => PROGRAMS[program].split(" ")))].sort();
}

/** What goes before a command that needs root: nothing, sudo, or undefined where neither is possible. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  const sudo = has("sudo") && spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0;
  return sudo ? ["sudo", "-n"] : undefined;
}

function run(prefix, ...command) {
  const [program, ...args] = [...prefix, ...command];
  return spawnSync(program, args, { stdio: ["ignore", 2, 2] }).status === 0;
}

/** Installs without starting a server: a database that suddenly listens is no part of a test run. */
function install(prefix, packages) {
  console.error(`nightbake: installing test servers with apt-get: ${packages.join(" ")} …`);
  const apt = [
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-y",
    "-q",
    "-o",
    "Dpkg::Use-Pty=0",
  ];
  const unlock = forbidStarts(prefix);
  try {
    run(prefix, ...apt, "update");
    return run(prefix, ...apt, "install", "--no-install-recommends", ...packages);
  } finally {
    unlock();
  }
}

function forbidStarts(prefix) {
  if (existsSync(POLICY)) return () => {};
  if (prefix.length > 0) {
    run(prefix, "sh", "-c", `printf '#!/bin/sh\\nexit 101\\n' >${POLICY} && chmod 755 ${POLICY}`);
    return () => run(prefix, "rm", "-f", POLICY);
  }
  writeFileSync(POLICY, "#!/bin/sh\nexit 101\n");
  chmodSync(POLICY, 0o755);
  return () => rmSync(POLICY, { force: true });
}

function report(missing) {
  const lines = [
    `nightbake: programs that some tests start are missing: ${missing.join(", ")}.`,
    `On Debian or Ubuntu: apt-get install --no-install-recommends ${packagesOf(missing).join(" ")}`,
    "Or run `docker compose up` with test/services/compose.yaml, which names the variables that point the tests at it.",
    process.env.CI ? "CI runs every test, so this is a failure." : "Their suites are skipped.",
  ];
  console.error(lines.join("\n"));
}

function main() {
  const missing = missingPrograms();
  if (missing.length === 0) return;
  const prefix = has("apt-get") ? rootPrefix() : undefined;
  if (prefix) install(prefix, packagesOf(missing));
  const still = missingPrograms();
  if (still.length === 0) return;
  report(still);
  process.exitCode = process.env.CI ? 1 : 0;
}

main();
