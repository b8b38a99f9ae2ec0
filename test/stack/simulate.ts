import { runSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import { PLACE } from "./resolve.ts";
import { ofType, type Template } from "./template.ts";

/** Something that is asked for: an ARN, and what IAM is told beside it. */
export interface Target {
  readonly arn: string;
  readonly context?: Readonly<Record<string, string>>;
}

interface Policy {
  readonly name: string;
  readonly policy: unknown;
}

/** The policies of a role, those that are attached from elsewhere under their condition, too. */
export function policiesOf(resolved: Template, role: string): readonly Policy[] {
  const { Properties = {} } = resolved.Resources[role] ?? {};
  const own = (Properties["Policies"] ?? []) as readonly Named[];
  const attached = ofType(resolved, "AWS::IAM::Policy")
    .filter(
      ([, { Condition }]) => Condition === undefined || resolved.Conditions?.[Condition] === true,
    )
    .map(([, each]) => each.Properties as unknown as Named & { readonly Roles: readonly string[] })
    .filter(({ Roles }) => Roles.includes(role));
  return [...own, ...attached].map(({ PolicyName: name, PolicyDocument: policy }) => ({
    name,
    policy,
  }));
}

/** The simulator knows no context keys with a name of their own in them; in its place stands one that nothing else here uses. */
const STANDS_IN = ["kms:EncryptionContext:PARAMETER_ARN", "kms:RequestAlias"] as const;

/** Policy of a key that leaves it to the account's roles, as keys have by default; without one nobody may use a key. */
const DELEGATING = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${PLACE.account}:root` },
      Action: "kms:*",
      Resource: "*",
    },
  ],
};

interface Named {
  readonly PolicyName: string;
  readonly PolicyDocument: unknown;
}

/**
 * Whether policies allow an action.
 * @throws Error of a policy, an action or a resource that IAM would not take
 */
export async function isAllowed(
  identityPolicies: readonly Policy[],
  action: string,
  { arn: resource, context = {} }: Target,
): Promise<boolean> {
  const { account: accountId, region } = PLACE;
  const principal = `arn:aws:sts::${accountId}:assumed-role/role/function`;
  const contextVariables = { "aws:RequestedRegion": region, ...context };
  const request = { principal, action, resource: { resource, accountId }, contextVariables };
  const unlimited = { serviceControlPolicies: [], resourceControlPolicies: [] };
  const key = action.startsWith("kms:") && { resourcePolicy: DELEGATING };
  const simulation = { request, identityPolicies: [...identityPolicies], ...unlimited, ...key };
  const known = JSON.parse(JSON.stringify(simulation).replaceAll(...STANDS_IN)) as Simulation;
  const result = await runSimulation(known, {});
  if (result.resultType === "error") throw new Error(JSON.stringify(result.errors));
  return result.overallResult === "Allowed";
}

/** The actions that policies name, each once. */
export function actionsOf(policies: readonly Policy[]): readonly string[] {
  const documents = policies.map(({ policy }) => policy as Document);
  const actions = documents.flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action));
  return [...new Set(actions)];
}

interface Document {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}
