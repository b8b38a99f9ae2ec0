import { readFileSync } from "node:fs";
import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import { resolver } from "../stack/resolve.ts";
import type { Parameter, Template } from "../stack/template.ts";

const FILE = new URL("../../docs/reference/aws/site.yaml", import.meta.url);

/** docs/reference/aws/site.yaml, deployed with these parameters; short forms of functions are written out. */
export function siteTemplate(parameters: Readonly<Record<string, string>> = {}) {
  const document = parseDocument(readFileSync(FILE, "utf8"), { logLevel: "silent" });
  const template = written(document.contents) as Template & Required<Pick<Template, "Parameters">>;
  const given = Object.entries(template.Parameters).map(
    ([name, parameter]): [string, Parameter] => {
      return [name, { ...parameter, Default: parameters[name] ?? parameter.Default }];
    },
  );
  return { ...template, Parameters: Object.fromEntries(given) };
}

/** A part of a template as CloudFormation takes it: functions answered, without what is AWS::NoValue. */
export function resolved(template: Template, part: unknown): unknown {
  return JSON.parse(JSON.stringify(resolver(template)(part)));
}

/** `!GetAtt a.b` → `{ "Fn::GetAtt": ["a", "b"] }` */
function written(node: unknown): unknown {
  const tag = (node as { readonly tag?: string }).tag ?? "";
  const value = plainOf(node);
  if (!/^!\w/.test(tag)) return value;
  if (tag === "!Ref") return { Ref: value };
  return { [`Fn::${tag.slice(1)}`]: tag === "!GetAtt" ? String(value).split(".") : value };
}

function plainOf(node: unknown): unknown {
  if (isMap(node)) {
    return Object.fromEntries(node.items.map(({ key, value }) => [String(key), written(value)]));
  }
  if (isSeq(node)) return node.items.map(written);
  return isScalar(node) ? node.value : null;
}
