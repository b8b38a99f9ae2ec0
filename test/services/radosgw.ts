import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import {
  type Daemon,
  freePort,
  onFreePort,
  removeFolder,
  run,
  startDaemon,
  temporaryFolder,
  untilReady,
} from "./daemon.ts";
import { type BucketOptions, createBucket, type S3Address, s3Client } from "./s3.ts";

/**
 * Ceph's S3 server: conditional writes, versions, signatures and bucket policies are real. It differs from AWS in
 * what `s3-front.ts` puts right, so suites about conditions go through that.
 */
export interface Radosgw extends S3Address, AsyncDisposable {
  createBucket(name?: string, options?: BucketOptions): Promise<string>;
}

/**
 * Who fetches settings from the monitor forgets the fsid of its file, and a command that then goes out before the
 * first monitor map came in is refused ("wrong fsid"): about one OSD in ten did not start.
 */
const NO_MON_CONFIG = ["--no-mon-config"] as const;

/** Starts a private Ceph of one monitor, one OSD in memory and one gateway. */
export function startRadosgw(): Promise<Radosgw> {
  return onFreePort(startCluster);
}

async function startCluster(port: number): Promise<Radosgw> {
  const dir = temporaryFolder("radosgw");
  const daemons: Daemon[] = [];
  const dispose = async () => {
    await Promise.all(daemons.map((daemon) => daemon.kill()));
    await removeFolder(dir);
  };
  try {
    const address = newAddress(port);
    const ceph = cephIn(dir, { monitorPort: await freePort(), gatewayPort: port });
    daemons.push(await ceph.startMonitor());
    daemons.push(await whileRunning(daemons, ceph.startOsd()));
    await whileRunning(daemons, ceph.createUser(address));
    daemons.push(await whileRunning(daemons, ceph.startGateway(address)));
    const create: Radosgw["createBucket"] = (name, options) => createBucket(address, name, options);
    return { ...address, createBucket: create, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Ceph's clients wait for ever for a server that is gone, so its end ends the waiting. */
function whileRunning<T>(daemons: readonly Daemon[], work: Promise<T>): Promise<T> {
  const ends = daemons.map(async (daemon): Promise<never> => {
    const code = await daemon.ended();
    throw new Error(`A part of Ceph ended with ${code}:\n${daemon.log()}`);
  });
  return Promise.race([work, ...ends]);
}

function newAddress(port: number): S3Address {
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    accessKeyId: `TEST${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(20).toString("hex"),
  };
}

interface CephPorts {
  readonly monitorPort: number;
  readonly gatewayPort: number;
}

function cephIn(dir: string, ports: CephPorts) {
  const fsid = randomUUID();
  const conf = join(dir, "ceph.conf");
  for (const folder of ["mon", "osd/0", "run", "rgw"])
    mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(conf, configuration(dir, fsid, ports));
  const env = { CEPH_CONF: conf };
  const call = (name: string, ...command: [string, ...string[]]) =>
    run({ name, dir, env, command });
  const start = (name: string, ...command: [string, ...string[]]) =>
    startDaemon({ name, dir, env, command });

  return {
    async startMonitor() {
      const map = join(dir, "monmap");
      const address = `v1:127.0.0.1:${ports.monitorPort}`;
      await call(
        "monmaptool",
        "monmaptool",
        "--create",
        "--addv",
        "a",
        address,
        "--fsid",
        fsid,
        map,
      );
      await call("mon-mkfs", "ceph-mon", "--mkfs", "-i", "a", "--monmap", map);
      return start("mon", "ceph-mon", "-i", "a", "-f");
    },
    async startOsd() {
      const uuid = randomUUID();
      const register = () => call("osd-new", "ceph", "--connect-timeout", "30", "osd", "new", uuid);
      // The command line tool knows no such switch, so its refusal is answered by a second try, which is harmless.
      await register().catch(register).catch(register);
      await call("osd-mkfs", "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", uuid);
      return start("osd", "ceph-osd", ...NO_MON_CONFIG, "-i", "0", "-f");
    },
    createUser({ accessKeyId, secretAccessKey }: S3Address) {
      const keys = ["--access-key", accessKeyId, "--secret-key", secretAccessKey];
      const user = ["user", "create", "--uid", "test", "--display-name", "test"];
      return call("user", "radosgw-admin", ...NO_MON_CONFIG, ...user, ...keys);
    },
    async startGateway(address: S3Address) {
      const daemon = start("rgw", "radosgw", ...NO_MON_CONFIG, "-n", "client.rgw", "-f");
      const client = s3Client(address);
      // The keys are our own, so another server on this port cannot pass for ours.
      await untilReady(daemon, () =>
        client.send(new ListBucketsCommand()).then(() => true),
      ).finally(() => client.destroy());
      return daemon;
    },
  };
}

/**
 * With the default proposal interval each new pool waits a second, and a start takes 11 s, not 1. With the default
 * tick a gateway that missed a map waits 5 s for the next one, which happened in one start out of eight.
 */
function configuration(dir: string, fsid: string, ports: CephPorts): string {
  return `[global]
fsid = ${fsid}
mon host = v1:127.0.0.1:${ports.monitorPort}
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
objecter tick interval = 0.2
run dir = ${dir}/run
admin socket = ${dir}/run/$name.asok
log file = ${dir}/$name.log
public addr = 127.0.0.1
cluster addr = 127.0.0.1
[mon]
mon data = ${dir}/mon/$id
mon data avail crit = 1
mon data avail warn = 2
paxos propose interval = 0.02
paxos min wait = 0.01
[osd]
osd data = ${dir}/osd/$id
osd objectstore = memstore
memstore device bytes = 6442450944
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${ports.gatewayPort}
rgw data = ${dir}/rgw
rgw run sync thread = false
rgw enable apis = s3, admin
`;
}
