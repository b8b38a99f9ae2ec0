import { type Config, type Origin, SETTINGS } from "../config.ts";

/** One line of `nightbake config`; secrets are masked. */
export interface ShownSetting {
  readonly name: string;
  /** Empty when unset; several values stand between commas. */
  readonly value: string;
  readonly from: Origin;
}

/** AWS variables that are no secret; of all others only the names are shown. */
const OPEN_AWS = /^AWS_(DEFAULT_REGION|REGION|PROFILE|DEFAULT_PROFILE|ENDPOINT_URL(_\w+)?)$/;

/** What stands for a secret. */
const MASK = "***";

/** All settings for people to read: ours in a fixed order, then AWS's by name. */
export function maskedConfig(config: Config): readonly ShownSetting[] {
  const from = (name: string) => config.origins[name] ?? "default";
  const ours = Object.entries(SETTINGS).map(([name, field]) => {
    const values = [config[field] ?? ""].flat();
    const show = field === "token" || from(name) === "parameter" ? hidden : masked;
    return { name, value: values.map((each) => show(String(each))).join(","), from: from(name) };
  });
  const theirs = Object.keys(config.aws)
    .filter((name) => !(name in SETTINGS))
    .sort()
    .map((name) => {
      const value = OPEN_AWS.test(name) ? masked(config.aws[name] ?? "") : MASK;
      return { name, value, from: from(name) };
    });
  return [...ours, ...theirs];
}

function hidden(text: string): string {
  return text === "" ? text : MASK;
}

/** A URL without its password and the values of its parameters, which may be tokens; else the text. */
function masked(text: string): string {
  if (!text.includes("://")) return text;
  const url = URL.parse(text);
  if (url === null) return MASK;
  if (url.password !== "") url.password = MASK;
  for (const name of [...url.searchParams.keys()]) url.searchParams.set(name, MASK);
  return url.href;
}
