import { loadAwsServiceSpecSync } from "@aws-cdk/aws-service-spec";
import type { Property, PropertyType } from "@aws-cdk/service-spec-types";
import { didYouMean } from "../../src/nearest.ts";
import { CHOICES } from "./choices.ts";
import { callIn, type Resource, type Template } from "./template.ts";

const AWS = loadAwsServiceSpecSync();
/** "Resource attribute reference" of CloudFormation's guide. */
const BESIDE = ["Type", "Properties", "DependsOn", "Condition", "Metadata"];
const POLICIES = ["CreationPolicy", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy"];

type Properties = Readonly<Record<string, Property>>;

/** What CloudFormation would refuse in a template's resources, each with its place; none when it is well. */
export function schemaProblems({ Resources }: Pick<Template, "Resources">): readonly string[] {
  return Object.entries(Resources).flatMap(([name, resource]) => resourceProblems(name, resource));
}

/** What CloudFormation knows of a type of resources. */
export function resourceType(type: string) {
  return AWS.lookup("resource", "cloudFormationType", "equals", type)[0];
}

function resourceProblems(name: string, resource: Resource): readonly string[] {
  const odd = Object.keys(resource).filter((each) => ![...BESIDE, ...POLICIES].includes(each));
  const strange = odd.map((each) => unknown(`${name}.${each}`, each, [...BESIDE, ...POLICIES]));
  const type = resourceType(resource.Type);
  if (type === undefined) {
    const types = AWS.all("resource").map(({ cloudFormationType }) => cloudFormationType);
    return [...strange, unknown(`${name}.Type`, resource.Type, types)];
  }
  const { Properties = {} } = resource;
  return [...strange, ...objectProblems(name, Properties, type.properties, resource.Type)];
}

function objectProblems(
  at: string,
  value: unknown,
  properties: Properties,
  owner: string,
): readonly string[] {
  if (!isObject(value)) return [`${at}: It must be an object.`];
  const missing = Object.entries(properties)
    .filter(([name, { required }]) => required === true && !(name in value))
    .map(([name]) => `${at}.${name}: It is missing.`);
  const wrong = Object.entries(value).flatMap(([name, each]) => {
    const property = properties[name];
    const place = `${at}.${name}`;
    if (property === undefined) return [unknown(place, name, Object.keys(properties))];
    const types = [property.type, ...(property.previousTypes ?? [])];
    return [
      ...anyProblems(place, each, types),
      ...choiceProblems(place, each, CHOICES[`${owner}.${name}`]),
    ];
  });
  return [...missing, ...wrong];
}

/** The problems of the type that has the fewest. */
function anyProblems(at: string, value: unknown, types: readonly PropertyType[]) {
  const all = types.map((type) => valueProblems(at, value, type));
  return all.sort((one, other) => one.length - other.length)[0] ?? [];
}

function valueProblems(at: string, value: unknown, type: PropertyType): readonly string[] {
  const call = callIn(value);
  if (call !== undefined && type.type !== "json") return callProblems(at, call, type);
  switch (type.type) {
    case "ref": {
      const { name, properties } = AWS.get("typeDefinition", type.reference.$ref);
      return objectProblems(at, value, properties, name);
    }
    case "array":
      if (!Array.isArray(value)) return [`${at}: It must be a list.`];
      return value.flatMap((each, index) => valueProblems(`${at}[${index}]`, each, type.element));
    case "map":
      if (!isObject(value)) return [`${at}: It must be an object.`];
      return Object.entries(value).flatMap(([key, each]) =>
        valueProblems(`${at}.${key}`, each, type.element),
      );
    case "union":
      return anyProblems(at, value, type.types);
    case "tag":
      return isObject(value) && "Key" in value && "Value" in value
        ? []
        : [`${at}: It must be a tag.`];
    case "string":
    case "integer":
      return [
        ...plainProblems(at, value, type.type),
        ...choiceProblems(at, value, type.allowedValues),
      ];
    default:
      return plainProblems(at, value, type.type);
  }
}

/** Both ways of a choice; what other functions give is known when they are called. */
function callProblems(at: string, [name, asked]: readonly [string, unknown], type: PropertyType) {
  if (name !== "Fn::If" || !Array.isArray(asked)) return [];
  return asked.slice(1).flatMap((each) => valueProblems(at, each, type));
}

const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  json: (value) => isObject(value) || Array.isArray(value),
  "date-time": (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)),
  null: (value) => value === null,
};

function plainProblems(at: string, value: unknown, type: string): readonly string[] {
  if (PLAIN[type]?.(value) === true) return [];
  return [`${at}: ${JSON.stringify(value)} is not of type ${type}.`];
}

function choiceProblems(
  at: string,
  value: unknown,
  choices: readonly (string | number)[] | undefined,
): readonly string[] {
  if (choices === undefined || callIn(value) !== undefined) return [];
  const values = Array.isArray(value) ? value : [value];
  return values
    .filter((each) => callIn(each) === undefined && !choices.includes(each))
    .map((each) => `${at}: ${JSON.stringify(each)} is none of ${choices.join(", ")}.`);
}

function unknown(at: string, name: string, names: readonly string[]): string {
  return `${at}: CloudFormation does not know it.${didYouMean(name, names)}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
