/**
 * Loads a function of a bundle and calls it, as Lambda does: `cold-start-child FILE NAME PORT`. Ends when it would talk
 * to a database at this port, and tells how long that took, how long the first connection, which asks for parameters, and
 * how much of the processor it used (ms).
 */
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { Writable } from "node:stream";

const [file = "", name = "", database] = process.argv.slice(2);
const http = { method: "GET", path: "/v1/jobs", sourceIp: "203.0.113.7" };
const headers = { authorization: `Bearer nbt_${"a".repeat(43)}` };
const request = { version: "2.0", rawPath: "/v1/jobs", headers, requestContext: { http } };
const messages = { Records: [{ messageId: "m", body: "{}" }] };
const event = { run: messages, help: messages, tick: {}, api: request, events: request }[name];
const context = { awsRequestId: "r", getRemainingTimeInMillis: () => 900_000 };
const to = new Writable({ write: (_piece, _encoding, done) => done() });

const since = performance.now();
const { user, system } = process.cpuUsage();
let loadedMs: number | undefined;
const connect = Socket.prototype.connect as (...args: unknown[]) => Socket;
Object.assign(Socket.prototype, {
  connect(this: Socket, ...args: unknown[]): Socket {
    const [{ port } = {}] = args.flat() as { port?: unknown }[];
    const wallMs = performance.now() - since;
    loadedMs ??= wallMs;
    if (String(port) !== database) return connect.apply(this, args);
    const used = process.cpuUsage({ user, system });
    const figures = { loadedMs, wallMs, cpuMs: (used.user + used.system) / 1000 };
    writeSync(process.stdout.fd, JSON.stringify(figures));
    process.exit();
  },
});
const { [name]: called } = await import(file);
await (name === "events" ? called(event, to, context) : called(event, context));
throw new Error(`The function ${name} asked no database.`);
