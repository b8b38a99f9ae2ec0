import { readFileSync } from "node:fs";
import { isMap, isScalar, isSeq, parseDocument } from "yaml";

/** JSON, as deep as it goes. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json };
type Mapping = { readonly [name: string]: Json };

/** A CloudFormation template with the short forms of its functions written out: `!Ref a` → `{ Ref: "a" }`. */
export interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Default: Json }>>;
  readonly Conditions: Mapping;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: Json }>>;
}

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly Properties: Mapping;
}

const FILE = new URL("../../docs/reference/aws/site.yaml", import.meta.url);

/** docs/reference/aws/site.yaml */
export function siteTemplate(): Template {
  const document = parseDocument(readFileSync(FILE, "utf8"), { logLevel: "silent" });
  return written(document.contents) as unknown as Template;
}

function written(node: unknown): Json {
  const tag = (node as { readonly tag?: string }).tag ?? "";
  const value = plainOf(node);
  if (!/^!\w/.test(tag)) return value;
  if (tag === "!Ref") return { Ref: value };
  const parts = tag === "!GetAtt" ? String(value).split(".") : value;
  return { [`Fn::${tag.slice(1)}`]: parts };
}

function plainOf(node: unknown): Json {
  if (isMap(node)) {
    return Object.fromEntries(node.items.map(({ key, value }) => [String(key), written(value)]));
  }
  if (isSeq(node)) return node.items.map(written);
  return isScalar(node) ? (node.value as Json) : null;
}

/** What CloudFormation makes of a value; undefined for `AWS::NoValue`. Names of resources stand for their ids. */
export function resolved(
  value: Json,
  template: Template,
  parameters: Mapping = {},
): Json | undefined {
  const again = (each: Json) => resolved(each, template, parameters);
  if (Array.isArray(value)) return value.map(again).filter((each) => each !== undefined);
  if (typeof value !== "object" || value === null) return value;
  const [[name, argument] = ["", null], ...more] = Object.entries(value as Mapping);
  if (more.length === 0 && (name === "Ref" || name.startsWith("Fn::"))) {
    return applied(name, argument, { template, parameters, again });
  }
  const entries = Object.entries(value as Mapping).map(([key, each]) => [key, again(each)]);
  return Object.fromEntries(entries.filter(([, each]) => each !== undefined)) as Mapping;
}

interface Scope {
  readonly template: Template;
  readonly parameters: Mapping;
  readonly again: (value: Json) => Json | undefined;
}

function applied(name: string, argument: Json, scope: Scope): Json | undefined {
  const { template, parameters, again } = scope;
  const list = argument as readonly Json[];
  const [first = null, second = null, third = null] = Array.isArray(argument) ? argument : [];
  switch (name) {
    case "Ref": {
      if (argument === "AWS::NoValue") return undefined;
      const key = String(argument);
      return parameters[key] ?? template.Parameters[key]?.Default ?? key;
    }
    case "Fn::GetAtt":
      return list.join(".");
    case "Fn::Sub":
      return String(argument).replace(/\$\{([^}]+)\}/g, (_, key) => String(again({ Ref: key })));
    case "Fn::If":
      return again(again(template.Conditions[String(first)] ?? null) === true ? second : third);
    case "Fn::Not":
      return again(first) !== true;
    case "Fn::Equals":
      return again(first) === again(second);
    case "Fn::Join":
      return [again(second)].flat().join(String(first));
    default:
      throw new Error(`${name} is not known here.`);
  }
}
