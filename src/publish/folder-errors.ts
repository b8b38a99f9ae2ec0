import { PipelineError } from "../error.ts";

/** No file is there: never was, a part of its path is a file, or it is a folder. */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "EISDIR"]);

/** The object's own fault; others can still be stored. */
const OF_KEY: Readonly<Record<string, string>> = {
  EISDIR: "a folder of that name exists",
  ENOTDIR: "a part of its path is a file",
  EEXIST: "a part of its path is a file",
  ENAMETOOLONG: "its name is too long for this file system",
  EILSEQ: "this file system does not take its characters",
  EINVAL: "this file system does not take its characters",
};

const HINTS: Readonly<Record<string, string>> = {
  EACCES: "Give the user who runs Nightbake permission to write there.",
  EPERM: "Give the user who runs Nightbake permission to write there.",
  EROFS: "Choose a folder on a file system that is not mounted read-only.",
  ENOSPC: "Free some space on the disk, then run again.",
  EDQUOT: "Free some space or raise the quota, then run again.",
  ENOTDIR: "Choose another folder: a file has that name.",
};

/** True when the error says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(codeOf(error));
}

/** A key that this store never takes. */
export function keyRefused(key: string, reason: string, cause?: unknown): PipelineError {
  const message = `The folder cannot hold the object ${JSON.stringify(key)}: ${reason}.`;
  const hint = "Change the route of that page; no other page is affected.";
  return new PipelineError("store_rejected", message, { hint, at: { key }, cause });
}

/** Gives what turns a file system's error into ours; an error of ours or a bug passes unchanged. */
export function folderError(store: string, key?: string): (cause: unknown) => never {
  return (cause) => {
    const code = codeOf(cause);
    if (code === "") throw cause;
    const reason = OF_KEY[code];
    if (key !== undefined && reason !== undefined) throw keyRefused(key, reason, cause);
    const hint = HINTS[code];
    const what = `The ${store} ${hint === undefined ? "does not answer" : "cannot be used"}: ${code}`;
    throw new PipelineError(
      hint === undefined ? "store_unavailable" : "store_rejected",
      key === undefined ? `${what}.` : `${what} at ${key}.`,
      { hint: hint ?? "Look at the disk or network share, then run again.", cause, at: { store } },
    );
  };
}

function codeOf(error: unknown): string {
  if (error instanceof PipelineError || !(error instanceof Error)) return "";
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
