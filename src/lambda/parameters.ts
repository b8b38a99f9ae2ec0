import { paginateGetParametersByPath, SSMClient, SSMServiceException } from "@aws-sdk/client-ssm";
import { PipelineError } from "../error.ts";

/** A function that starts waits so long for its settings. */
const ANSWER_MS = 10_000;

/**
 * What SSM's Parameter Store holds directly below a path, decrypted, by the last part of the names:
 * `/nightbake/prod/LEDGER_URL` is `LEDGER_URL`.
 * @throws PipelineError `config_unavailable` when SSM does not answer; `config_invalid` when it answers no,
 *   or has nothing there
 */
export async function readParameters(path: string): Promise<Readonly<Record<string, string>>> {
  const client = new SSMClient();
  try {
    const found: Record<string, string> = {};
    const asked = { Path: path, WithDecryption: true, Recursive: false };
    const pages = paginateGetParametersByPath({ client }, asked, {
      abortSignal: AbortSignal.timeout(ANSWER_MS),
    });
    for await (const { Parameters = [] } of pages) {
      for (const { Name = "", Value = "" } of Parameters) {
        found[Name.slice(Name.lastIndexOf("/") + 1)] = Value;
      }
    }
    if (Object.keys(found).length === 0) throw noneBelow(path);
    return found;
  } catch (cause) {
    throw cause instanceof PipelineError ? cause : refused(path, cause);
  } finally {
    client.destroy();
  }
}

function noneBelow(path: string): PipelineError {
  return new PipelineError("config_invalid", `SSM has no parameters below ${path}.`, {
    hint: "Put them there (aws ssm put-parameter --type SecureString), or correct NIGHTBAKE_PARAMETERS.",
    at: { path },
  });
}

/** What SSM or its SDK says may hold names of keys and roles, but no value. */
function refused(path: string, cause: unknown): PipelineError {
  const isRefusal = cause instanceof SSMServiceException && cause.$fault === "client";
  const reason = cause instanceof Error ? cause.name : "no answer";
  const code = isRefusal && !/^Throttl/.test(reason) ? "config_invalid" : "config_unavailable";
  const message = `The parameters below ${path} cannot be read: ${reason}.`;
  return new PipelineError(code, message, {
    hint: "The function needs ssm:GetParametersByPath on the path, kms:Decrypt on their key, and a way to SSM out of its VPC.",
    at: { path },
    cause,
  });
}
