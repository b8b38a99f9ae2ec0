import { callIn, type Template } from "./template.ts";

/** Where a template would be deployed. */
export interface Place {
  readonly region: string;
  readonly account: string;
}

export const PLACE: Place = { region: "eu-central-1", account: "123456789012" };

/**
 * Puts what CloudFormation would in place of every function: names and ARNs of resources as AWS makes
 * them, made-up ones where AWS does. @throws Error of a function that it does not know
 */
export function resolver(template: Template, place: Place = PLACE): (value: unknown) => unknown {
  const resolve = (value: unknown): unknown => {
    const call = callIn(value);
    if (call !== undefined) return answer(...call);
    if (Array.isArray(value)) return value.map(resolve).filter((each) => each !== undefined);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(each)]));
  };
  const list = (value: unknown) => resolve(value) as unknown[];
  const answer = (name: string, asked: unknown): unknown => {
    if (name === "Ref") return refer(String(asked));
    if (name === "Condition") return isSo(String(asked));
    if (name === "Fn::GetAtt") return attribute([asked].flat().join("."));
    if (name === "Fn::Sub") return substitute(asked);
    const given = list(asked);
    if (name === "Fn::Join") return (given[1] as unknown[]).join(String(given[0]));
    if (name === "Fn::Split") return String(given[1]).split(String(given[0]));
    if (name === "Fn::Select") return (given[1] as unknown[])[Number(given[0])];
    if (name === "Fn::Equals") return given[0] === given[1];
    if (name === "Fn::Not") return given[0] !== true;
    if (name === "Fn::And") return given.every((each) => each === true);
    if (name === "Fn::Or") return given.some((each) => each === true);
    if (name === "Fn::If") return isSo(String(given[0])) ? given[1] : given[2];
    throw new Error(`There is no ${name} here.`);
  };
  const isSo = (condition: string) => resolve(template.Conditions?.[condition]) === true;
  const refer = (name: string): unknown => {
    if (name.startsWith("AWS::")) return pseudo(name, place);
    const parameter = template.Parameters?.[name];
    if (parameter === undefined) return attribute(`${name}.Ref`);
    return parameter.Type === "CommaDelimitedList"
      ? String(parameter.Default).split(",")
      : parameter.Default;
  };
  const attribute = (path: string): unknown => {
    const [name = "", ...rest] = path.split(".");
    const resource = template.Resources[name];
    if (resource === undefined) throw new Error(`There is no ${name}.`);
    const { Type, Properties = {} } = resource;
    const given = attributesOf(Type, { name, given: (key) => resolve(Properties[key]), place });
    const asked = rest.join(".");
    if (given === undefined) return `${name}.${asked}`;
    const value = given[asked];
    if (value === undefined) throw new Error(`${Type} has no ${asked} here.`);
    return value;
  };
  const substitute = (asked: unknown): string => {
    const [text, given = {}] = [asked].flat() as [string, Record<string, unknown>?];
    return text.replace(/\$\{([^!}][^}]*)\}/g, (_, name: string) => {
      if (Object.hasOwn(given, name)) return String(resolve(given[name]));
      return String(name.includes(".") ? attribute(name) : refer(name));
    });
  };
  return resolve;
}

function pseudo(name: string, { region, account }: Place): string | undefined {
  const values: Readonly<Record<string, string>> = {
    "AWS::Partition": "aws",
    "AWS::Region": region,
    "AWS::AccountId": account,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "nightbake-prod",
  };
  return values[name];
}

interface Asked {
  readonly name: string;
  readonly given: (property: string) => unknown;
  readonly place: Place;
}

/** What Ref (as `Ref`) and Fn::GetAtt give, of the types that our policies and settings name; undefined of others. */
function attributesOf(
  type: string,
  { name, given, place }: Asked,
): Record<string, string> | undefined {
  const { region, account } = place;
  const named = (property: string) => String(given(property) ?? name.toLowerCase());
  const own = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
  switch (type) {
    case "AWS::SQS::Queue": {
      const queue = named("QueueName");
      const url = `https://sqs.${region}.amazonaws.com/${account}/${queue}`;
      return { Ref: url, QueueUrl: url, QueueName: queue, Arn: own("sqs", queue) };
    }
    case "AWS::S3::Bucket": {
      const bucket = named("BucketName");
      const RegionalDomainName = `${bucket}.s3.${region}.amazonaws.com`;
      return { Ref: bucket, Arn: `arn:aws:s3:::${bucket}`, RegionalDomainName };
    }
    case "AWS::CloudFront::Distribution": {
      const id = `E${name.toUpperCase()}`;
      return { Ref: id, Id: id, DomainName: `${name.toLowerCase()}.cloudfront.net` };
    }
    case "AWS::Logs::LogGroup": {
      const group = named("LogGroupName");
      return { Ref: group, Arn: `${own("logs", `log-group:${group}`)}:*` };
    }
    case "AWS::Lambda::Function": {
      const lambda = named("FunctionName");
      return { Ref: lambda, Arn: own("lambda", `function:${lambda}`) };
    }
    case "AWS::Lambda::Url":
      return { FunctionUrl: `https://${name.toLowerCase()}.lambda-url.${region}.on.aws/` };
    case "AWS::IAM::Role":
      return { Ref: name, Arn: `arn:aws:iam::${account}:role/${name}` };
    case "AWS::SNS::Topic":
      return { Ref: own("sns", named("TopicName")), TopicArn: own("sns", named("TopicName")) };
    default:
      return undefined;
  }
}
