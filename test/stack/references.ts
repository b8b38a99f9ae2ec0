import { didYouMean } from "../../src/nearest.ts";
import { resourceType } from "./schema.ts";
import { callIn, namesIn, type Resource, type Template } from "./template.ts";

/** What a template names that is not in it, each with its place. */
export function referenceProblems(template: Template): readonly string[] {
  const found: string[] = [];
  const { Resources, Parameters = {}, Conditions = {} } = template;
  const names = [...Object.keys(Resources), ...Object.keys(Parameters)];
  const look = (at: string, name: string, among: readonly string[]) => {
    if (!among.includes(name)) found.push(`${at}: There is no ${name}.${didYouMean(name, among)}`);
  };
  for (const { at, name, attribute, isCondition } of referencesIn(template)) {
    look(at, name, isCondition === true ? Object.keys(Conditions) : names);
    const type = resourceType(Resources[name]?.Type ?? "");
    if (attribute !== undefined && type !== undefined)
      look(at, attribute, Object.keys(type.attributes));
  }
  return found;
}

/** Resources of which each needs the next to be there first, round and round; undefined when there are none. */
export function circleIn({
  Resources,
}: Pick<Template, "Resources">): readonly string[] | undefined {
  const needs = (name: string) =>
    referencesIn({ Resources: { [name]: Resources[name] as Resource } })
      .map((each) => each.name)
      .filter((each) => each in Resources);
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const each of needs(name)) {
      const circle = walk(each, [...path, name]);
      if (circle !== undefined) return circle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of Object.keys(Resources)) {
    const circle = walk(name, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

interface Reference {
  readonly at: string;
  readonly name: string;
  readonly attribute?: string | undefined;
  readonly isCondition?: boolean;
}

/** All that stands for something else, but for what AWS gives. */
function referencesIn(template: Partial<Template>): readonly Reference[] {
  const found: Reference[] = [];
  const refer = (at: string, name: string, attribute?: string) => {
    if (!name.startsWith("AWS::")) found.push({ at, name, attribute });
  };
  const visit = (at: string, value: unknown): void => {
    const [call, asked] = callIn(value) ?? [];
    if (call === "Ref") refer(at, String(asked));
    if (call === "Fn::GetAtt") refer(at, ...split(asked));
    if (call === "Fn::Sub") for (const name of subsOf(asked)) refer(at, ...split(name));
    if (call === "Fn::If") found.push({ at, name: String([asked].flat()[0]), isCondition: true });
    if (typeof value !== "object" || value === null) return;
    for (const [key, each] of Object.entries(value)) visit(`${at}.${key}`, each);
  };
  for (const [name, { DependsOn = [], Condition }] of Object.entries(template.Resources ?? {})) {
    for (const each of [DependsOn].flat()) refer(`${name}.DependsOn`, each);
    if (Condition !== undefined)
      found.push({ at: `${name}.Condition`, name: Condition, isCondition: true });
  }
  for (const [key, value] of Object.entries(template)) visit(key, value);
  return found;
}

/** `Queue.Arn` or `["Queue", "Arn"]`; only the name when there is no attribute. */
function split(asked: unknown): [name: string, attribute?: string] {
  const text = [asked].flat().join(".");
  const dot = text.indexOf(".");
  return dot < 0 ? [text] : [text.slice(0, dot), text.slice(dot + 1)];
}

/** Without those that it is given itself. */
function subsOf(asked: unknown): readonly string[] {
  const [text, given = {}] = [asked].flat();
  return namesIn(String(text)).filter((name) => !Object.hasOwn(given as object, name));
}
