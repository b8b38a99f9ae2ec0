import { didYouMean } from "../../src/nearest.ts";
import { resourceType } from "./schema.ts";
import { callIn, namesIn, type Template } from "./template.ts";

/** What a template names that is not in it, each with its place. */
export function referenceProblems(template: Template): readonly string[] {
  const found: string[] = [];
  const names = [...Object.keys(template.Resources), ...Object.keys(template.Parameters ?? {})];
  const look = (at: string, name: string, among: readonly string[]) => {
    if (!among.includes(name)) found.push(`${at}: There is no ${name}.${didYouMean(name, among)}`);
  };
  const refer = (at: string, name: string, attribute?: string) => {
    if (name.startsWith("AWS::")) return;
    look(at, name, names);
    const type = resourceType(template.Resources[name]?.Type ?? "");
    if (attribute !== undefined && type !== undefined)
      look(at, attribute, Object.keys(type.attributes));
  };
  const visit = (at: string, value: unknown): void => {
    const [call, asked] = callIn(value) ?? [];
    if (call === "Ref") refer(at, String(asked));
    if (call === "Fn::GetAtt") refer(at, ...split(asked));
    if (call === "Fn::Sub") for (const name of subsOf(asked)) refer(at, ...split(name));
    if (call === "Fn::If")
      look(at, String([asked].flat()[0]), Object.keys(template.Conditions ?? {}));
    if (typeof value !== "object" || value === null) return;
    for (const [key, each] of Object.entries(value)) visit(`${at}.${key}`, each);
  };
  for (const [name, { DependsOn = [], Condition }] of Object.entries(template.Resources)) {
    for (const each of [DependsOn].flat()) look(`${name}.DependsOn`, each, names);
    if (Condition !== undefined)
      look(`${name}.Condition`, Condition, Object.keys(template.Conditions ?? {}));
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
