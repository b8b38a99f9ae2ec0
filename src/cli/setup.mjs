// Makes a fresh clone ready to run: `npm run bake` and `npm test` call this first.
// Plain JavaScript for Node 18 and later, with no dependency: it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NODE = join(ROOT, "node_modules", ".bin", "node");
const LOCK = join(ROOT, ".nightbake", "setup.lock");

/** Longest wait for another install, in milliseconds. */
const LOCK_TIMEOUT_MS = 600_000;

function readLockfile(path) {
  try {
    return JSON.parse(readFileSync(join(ROOT, path), "utf8")).packages;
  } catch {
    return undefined;
  }
}

/**
 * Compares package-lock.json with what npm recorded in node_modules at the end of its last install, so
 * an install by hand counts and one that was cut short does not. Packages for other platforms are optional.
 */
function isInstalled() {
  const installed = readLockfile("node_modules/.package-lock.json");
  const wanted = readLockfile("package-lock.json");
  if (!installed || !wanted || !existsSync(NODE)) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const found = installed[path];
    if (path === "" || (optional && !found)) return true;
    return found?.version === version && found?.integrity === integrity;
  });
}

function fail(problem, hint) {
  console.error(`nightbake: ${problem}\n${hint}`);
  process.exit(2);
}

function npmCi() {
  const args = ["ci", "--include=dev", "--loglevel=error"];
  const npm = process.env.npm_execpath ?? "";
  const [command, prefix] = /^npm(-cli)?\.c?js$/.test(basename(npm))
    ? [process.execPath, [npm]]
    : ["npm", []];
  // Standard output stays the command's own, so npm's words go to standard error.
  return spawnSync(command, [...prefix, ...args], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
    shell: command === "npm" && process.platform === "win32",
  });
}

function install() {
  console.error("nightbake: installing the packages of package-lock.json (npm ci) …");
  const { status, error } = npmCi();
  if (error) {
    fail(`npm could not be started: ${error.message}.`, "Install Node with npm and try again.");
  }
  if (status !== 0) {
    fail(
      "npm ci did not succeed; its own message stands above.",
      "It needs the npm registry (or a filled npm cache: npm ci --offline). When the registry is reachable, repeat the command.",
    );
  }
  verifyNode();
}

/** The code runs on the Node that package-lock.json pins, whatever Node the machine has. */
function verifyNode() {
  const wanted = readLockfile("package-lock.json")?.["node_modules/node"]?.version;
  const { stdout } = spawnSync(NODE, ["--version"], { encoding: "utf8" });
  if (stdout?.trim() === `v${wanted}`) return;
  fail(
    `node_modules/.bin/node is ${stdout?.trim() || "missing"}, not v${wanted}.`,
    "Install scripts may be switched off: run `npm ci --ignore-scripts=false` once.",
  );
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Takes the lock; false means that someone else holds it, or held it until this moment. */
function takeLock() {
  const mine = `${LOCK}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, LOCK);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    dropDeadLock();
    return false;
  } finally {
    rmSync(mine);
  }
}

function dropDeadLock() {
  try {
    if (!isAlive(Number(readFileSync(LOCK, "utf8")))) rmSync(LOCK, { force: true });
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Runs one install however many processes ask; the others wait for it and find it done. */
function installOnce() {
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  mkdirSync(dirname(LOCK), { recursive: true });
  while (!takeLock()) {
    if (Date.now() > deadline) fail("Another install does not end.", `Remove ${LOCK} and repeat.`);
    sleep(200);
  }
  process.on("exit", () => rmSync(LOCK, { force: true }));
  if (!isInstalled()) install();
}

if (!isInstalled()) installOnce();
