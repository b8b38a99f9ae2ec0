import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Parameter Store, as far as it is asked: it gives one parameter a page. */
export interface Ssm extends AsyncDisposable {
  /** For `AWS_ENDPOINT_URL_SSM`. */
  readonly endpoint: string;
  readonly asked: readonly object[];
}

/** Starts one that has these parameters below a path, or refuses whatever is asked. */
export async function startSsm(
  stored: Readonly<Record<string, string>>,
  refuse?: { readonly status: number; readonly type: string },
  path = "/nightbake/test",
): Promise<Ssm> {
  const asked: object[] = [];
  const server = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    asked.push({ target: request.headers["x-amz-target"], ...body });
    response.setHeader("content-type", "application/x-amz-json-1.1");
    if (refuse !== undefined) {
      response.writeHead(refuse.status);
      return void response.end(JSON.stringify({ __type: refuse.type, message: "asked for" }));
    }
    const at = Number(body.NextToken ?? 0);
    const all = Object.entries(body.Path === path ? stored : {});
    const Parameters = all
      .slice(at, at + 1)
      .map(([name, Value]) => ({ Name: `${body.Path}/${name}`, Type: "SecureString", Value }));
    const NextToken = at + 1 < all.length ? String(at + 1) : undefined;
    response.end(JSON.stringify({ Parameters, NextToken }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    endpoint: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
