import type { CloudFrontFault } from "../services/cloudfront-api.ts";
import type { Faults, RequestLine } from "../services/faults.ts";
import type { S3Fault } from "../services/s3-faults.ts";
import type { Mix } from "./mixes.ts";

/** Servers that can be told to fail. */
export interface Failing {
  readonly s3: Faults<S3Fault>;
  readonly cdn?: Faults<CloudFrontFault>;
}

/** Who overwrites the marker unties the store from its ledger: then everything is put again. */
const isNoMarker = ({ path }: RequestLine) => !path.includes("/.nightbake.json");

/** Lets requests fail as a mix says; equal seeds choose equally. */
export function turnOn({ s3, cdn }: Failing, mix: Mix, seed: number) {
  const count = () => s3.injected + (cdn?.injected ?? 0);
  const before = count();
  for (const [at, [share, fault]] of mix.s3.entries()) {
    s3.rate(share, fault, { seed: seed * 1000 + at, match: isNoMarker });
  }
  for (const [at, [share, fault]] of mix.cdn.entries()) {
    cdn?.rate(share, fault, { seed: seed * 1000 + 500 + at });
  }
  return {
    /** Gives how many requests went wrong. */
    turnOff(): number {
      s3.clear();
      cdn?.clear();
      return count() - before;
    },
  };
}
