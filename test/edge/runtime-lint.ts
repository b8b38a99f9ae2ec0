import { parseAst } from "rolldown/parseAst";

/** A node of ESTree, as far as it is looked at. */
type Node = Readonly<Record<string, unknown>> & { readonly type: string };

/** Bytes of a function's code: "Quotas on CloudFront Functions". */
const MAX_BYTES = 10_240;

/**
 * Syntax that "JavaScript runtime 2.0 features for CloudFront Functions" lists: ECMAScript 5.1, const, let,
 * templates, arrow functions, rest parameters. What it does not name is not allowed here, e.g. classes,
 * destructuring, spread, default parameters, for-of, optional chaining, optional catch bindings.
 * async, await and the built-in modules exist and are left out: a viewer's request needs none of them.
 */
const SYNTAX = new Set(
  `Program FunctionDeclaration FunctionExpression ArrowFunctionExpression BlockStatement RestElement
  VariableDeclaration VariableDeclarator ExpressionStatement EmptyStatement IfStatement ReturnStatement
  SwitchStatement SwitchCase ForStatement ForInStatement WhileStatement DoWhileStatement BreakStatement
  ContinueStatement LabeledStatement TryStatement CatchClause ThrowStatement AssignmentExpression
  BinaryExpression LogicalExpression UnaryExpression UpdateExpression ConditionalExpression CallExpression
  NewExpression MemberExpression SequenceExpression ThisExpression ArrayExpression ObjectExpression Property
  Identifier Literal TemplateLiteral TemplateElement ParenthesizedExpression`.split(/\s+/),
);

/** Without eval and Function, timers, network and files. */
const GLOBALS = new Set(
  `globalThis decodeURI decodeURIComponent encodeURI encodeURIComponent isFinite isNaN parseFloat parseInt
  NaN Infinity undefined Object String Number Boolean Math Date RegExp JSON Array Error RangeError
  ReferenceError SyntaxError TypeError URIError`.split(/\s+/),
);

/** Methods of strings, numbers, arrays, regular expressions and objects on that page's lists. */
const METHODS = new Set(
  `charAt codePointAt concat endsWith includes indexOf lastIndexOf match padEnd padStart repeat replace search
  slice split startsWith substring toLowerCase toUpperCase trim toString toFixed every filter find
  findIndex forEach join map pop push reduce reverse shift some sort splice unshift test exec hasOwnProperty
  isArray keys values entries assign freeze fromCharCode fromCodePoint parse stringify`.split(
    /\s+/,
  ),
);

/** What cloudfront-js-2.0 would not run of a function's code; none when it runs. */
export function runtimeFlaws(code: string): string[] {
  const bytes = Buffer.byteLength(code);
  const size = bytes > MAX_BYTES ? [`${bytes} bytes are more than ${MAX_BYTES}`] : [];
  const program = parseAst(code) as unknown as Node;
  const nodes = [...nodesIn(program)];
  const declared = new Set(nodes.flatMap(namesDeclared));
  const flaws = nodes.flatMap((node) => [...syntaxFlaws(node), ...nameFlaws(node, declared)]);
  const isHandler = ({ type, id }: Node) =>
    type === "FunctionDeclaration" && (id as Node | null)?.["name"] === "handler";
  const body = program["body"] as readonly Node[];
  return [...size, ...(body.some(isHandler) ? [] : ["no function handler"]), ...flaws];
}

function* nodesIn(node: Node): Generator<Node> {
  yield node;
  for (const [name, value] of Object.entries(node)) {
    // A name behind a dot, or before a colon, is no variable.
    const isName = (name === "property" || name === "key") && node["computed"] !== true;
    const children = (Array.isArray(value) ? value : [value]).filter(isNode);
    if (!isName) for (const child of children) yield* nodesIn(child);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function namesDeclared(node: Node): string[] {
  const params = (node["params"] ?? []) as readonly Node[];
  const own = [node["id"], node["param"], ...params, ...params.map((each) => each["argument"])];
  return own.filter(isNode).map((each) => String(each["name"]));
}

function syntaxFlaws(node: Node): string[] {
  const { type } = node;
  if (!SYNTAX.has(type)) return [type];
  const said = (is: unknown, flaw: string) => (is === true ? [flaw] : []);
  return [
    ...said(node["async"], "async"),
    ...said(node["generator"], "generator"),
    ...said(type === "Property" && (node["shorthand"] || node["method"]), "short property"),
    ...said(type === "Property" && node["computed"], "computed property"),
    ...said(type === "CatchClause" && node["param"] === null, "catch without a name"),
    ...said("regex" in node && !isOldRegex(node["regex"]), "regular expression"),
    ...said(/^(?:&&|\|\||\?\?)=?$/.test(String(node["operator"])) && !isOldLogic(node), "operator"),
    ...said("bigint" in node, "bigint"),
    ...said(type === "VariableDeclaration" && /using/.test(String(node["kind"])), "using"),
  ];
}

/** ECMAScript 5.1: no flags but g, i and m, no looking behind, no named groups, no classes of Unicode. */
function isOldRegex(regex: unknown): boolean {
  const { flags, pattern } = regex as { readonly flags: string; readonly pattern: string };
  return /^[gim]*$/.test(flags) && !/\(\?<|\\[pPk]/.test(pattern);
}

function isOldLogic({ operator }: Node): boolean {
  return operator === "&&" || operator === "||";
}

function nameFlaws(node: Node, declared: ReadonlySet<string>): string[] {
  const name = String(node["name"]);
  if (node.type === "Identifier") {
    return declared.has(name) || GLOBALS.has(name) ? [] : [`the name ${name}`];
  }
  const callee = node["callee"] as Node | undefined;
  const method = (callee?.["property"] as Node | undefined)?.["name"];
  if (callee?.type !== "MemberExpression" || METHODS.has(String(method))) return [];
  return [`the method ${method}`];
}
