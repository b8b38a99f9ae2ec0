import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Config, processParametersPath, readProcessConfig, SETTINGS } from "../config.ts";
import { PipelineError } from "../error.ts";
import { readParameters } from "./parameters.ts";

/** Nothing that a function keeps on its disk is found by another. */
const NEEDED = ["DATABASE_URL", "LEDGER_URL", "S3_BUCKET", "SQS_QUEUE_URL"] as const;

/**
 * The settings of a function: its environment, and the parameters that `NIGHTBAKE_PARAMETERS` names.
 * @throws PipelineError `config_invalid` with every problem, `config_unavailable`
 */
export async function readSettings(): Promise<Config> {
  const path = processParametersPath();
  const parameters = path === undefined ? {} : await readParameters(path);
  const config = readProcessConfig(siteBeside(import.meta.dirname), parameters);
  const missing = NEEDED.filter((name) => config[SETTINGS[name]] === undefined);
  if (missing.length === 0) return config;
  throw new PipelineError("config_invalid", "A function lacks settings.", {
    hint: "Set them in the environment of the functions, or as parameters (NIGHTBAKE_PARAMETERS).",
    problems: missing.map((place) => ({ place, message: "A function cannot do without it." })),
  });
}

let read: Promise<Config> | undefined;

/**
 * Opens what the settings of this process name; they are read once. When it cannot be opened they are
 * read anew the next time: passwords are changed while functions live.
 */
export async function openBySettings<T>(open: (config: Config) => Promise<T>): Promise<T> {
  try {
    read ??= readSettings();
    return await open(await read);
  } catch (error) {
    read = undefined;
    throw error;
  }
}

/** A bundle has the site's definition beside its code. */
function siteBeside(folder: string) {
  const config = join(folder, "site.config.mjs");
  return existsSync(config) ? { config } : {};
}
