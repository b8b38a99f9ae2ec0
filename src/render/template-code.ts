import { compileFunction } from "node:vm";
import { escapeText } from "./format.ts";
import type { Piece, Tag } from "./template-check.ts";
import type { TemplateData } from "./template-scope.ts";
import { absolute, HELPERS, PURE_MATH, raw, shadowedNames } from "./template-scope.ts";

/** A compiled template. Synchronous, and a function of its data alone. */
export type TemplateFunction = (it: TemplateData) => string;

/** What a compiled template asks of the others. */
export interface Links {
  /** HTML of a partial with `it` and `data` merged. */
  readonly include: (name: string, it: TemplateData, data: object | undefined) => unknown;
  /** HTML of a layout around `body`. */
  readonly layout: (
    name: string,
    it: TemplateData,
    data: object | undefined,
    body: string,
  ) => string;
  readonly asset: (name: string) => string;
  /** What to throw for an error at a line. */
  readonly fail: (cause: unknown, line: number) => Error;
}

/** Names starting with `$$` are the compiler's; the check keeps templates off them. */
const START =
  'return function(it){"use strict";let $$out="",$$line=1,$$name,$$data;' +
  "const include=(name,data)=>$$include(name,it,data),url=(route)=>$$absolute(it,route)," +
  "layout=(name,data)=>{$$name=name;$$data=data};try{";
const END =
  ";return $$name===undefined?$$out:$$layout($$name,it,$$data,$$out)" +
  "}catch(cause){throw $$fail(cause,$$line)}}";

/**
 * Compiles the pieces of a template. Its lines keep their numbers, so that errors of syntax name
 * them; every impure global is hidden behind an undefined parameter.
 * @throws SyntaxError with `file:line` at the start of its stack
 */
export function compileTemplate(
  file: string,
  pieces: readonly Piece[],
  links: Links,
): TemplateFunction {
  const { include, layout, asset, fail } = links;
  const linked = { $$include: include, $$layout: layout, $$fail: fail, $$absolute: absolute };
  const scope = {
    ...linked,
    $$raw: raw,
    $$escaped: escapeText,
    asset,
    Math: PURE_MATH,
    ...HELPERS,
  };
  const names = [...Object.keys(scope), ...shadowedNames()];
  const make = compileFunction(START + body(pieces) + END, names, { filename: file });
  return make(...Object.values(scope)) as TemplateFunction;
}

function body(pieces: readonly Piece[]): string {
  let code = "";
  let line = 1;
  for (const piece of pieces) {
    if (typeof piece === "string") {
      code += `$$out+='${piece}';`;
      continue;
    }
    const { lineNo = line, val } = piece;
    code += `${"\n".repeat(Math.max(0, lineNo - line))}$$line=${lineNo};${statement(piece)}`;
    line = Math.max(line, lineNo) + val.split("\n").length - 1;
  }
  return code;
}

function statement({ t, val }: Tag): string {
  if (t === "i") return `$$out+=$$escaped(${val});`;
  if (t === "r") return `$$out+=$$raw(${val});`;
  return `${val}\n`;
}
