import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { PipelineError } from "../error.ts";
import { appOf, type Served } from "./fastify-app.ts";

/** A server that listens. */
export interface Listening extends AsyncDisposable {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
}

/** Given to requests under way when the server stops. */
const GRACE_MS = 5000;

/**
 * Listens with Fastify. Closing lets requests under way end; streams end with what they follow.
 * @throws PipelineError `config_invalid` when it cannot listen there
 */
export async function listen(
  served: Served,
  place: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const app = appOf(served);
  await app.listen(place).catch((cause: NodeJS.ErrnoException) => {
    const message = `The server cannot listen on ${place.host}, port ${place.port}: ${cause.code ?? cause.message}.`;
    const hint = "Name another host or port; port 0 means any that is free.";
    throw new PipelineError("config_invalid", message, { hint, cause });
  });
  const { address, port, family } = app.server.address() as AddressInfo;
  const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  return { url, [Symbol.asyncDispose]: () => closed(app) };
}

/** Requests under way may end; whoever takes longer is cut off. */
async function closed(app: FastifyInstance): Promise<void> {
  const late = setTimeout(() => app.server.closeAllConnections(), GRACE_MS);
  await app.close();
  clearTimeout(late);
}
