import type { CloudFrontFault } from "../services/cloudfront-api.ts";
import type { S3Fault } from "../services/s3-faults.ts";

/** Shares of the requests that go wrong, by how. */
export interface Mix {
  readonly name: string;
  readonly s3: readonly (readonly [share: number, S3Fault])[];
  readonly cdn: readonly (readonly [share: number, CloudFrontFault])[];
}

const SLOW = { delayMs: 20 } as const;

/**
 * One thing at a time for every tenth request (more of the few that CloudFront gets), everything together,
 * and more than can be borne.
 */
export const MIXES: readonly Mix[] = [
  { name: "errors of the servers", s3: [[0.1, "internal-error"]], cdn: [[0.3, "internal-error"]] },
  { name: "requests to slow down", s3: [[0.1, "slow-down"]], cdn: [[0.3, "throttle"]] },
  { name: "connections that are cut", s3: [[0.1, "cut-before"]], cdn: [[0.3, "too-many"]] },
  { name: "answers that are lost", s3: [[0.1, "cut-after"]], cdn: [[0.3, "lost-reply"]] },
  { name: "answers that end half-way", s3: [[0.1, "truncated"]], cdn: [[0.3, "truncated"]] },
  { name: "slow answers", s3: [[0.1, SLOW]], cdn: [[0.3, "slow"]] },
  { name: "a clock that differs from S3's", s3: [[0.03, "skewed"]], cdn: [] },
  { name: "a clock that differs from CloudFront's", s3: [], cdn: [[0.3, "skewed"]] },
  {
    name: "races with another hand",
    s3: [
      [0.05, "other-hand"],
      [0.05, "conflict"],
    ],
    cdn: [],
  },
  {
    name: "keys that cannot be deleted",
    s3: [
      [0.3, "delete-errors"],
      [0.3, "delete-refusals"],
    ],
    cdn: [],
  },
  { name: "everything", s3: allOfS3(0.01), cdn: allOfCdn(0.05) },
  { name: "a storm", s3: allOfS3(0.06), cdn: allOfCdn(0.1) },
  { name: "an S3 that hardly answers", s3: [[0.75, "internal-error"]], cdn: [] },
  { name: "an outage of CloudFront", s3: [], cdn: [[1, "internal-error"]] },
];

function allOfS3(share: number): Mix["s3"] {
  const passing = ["internal-error", "slow-down", "cut-before", "cut-after", "truncated"] as const;
  const racing = ["conflict", "other-hand", "delete-errors", "delete-refusals"] as const;
  return [...passing, ...racing, SLOW].map((fault) => [share, fault] as const);
}

function allOfCdn(share: number): Mix["cdn"] {
  const faults = ["throttle", "too-many", "internal-error", "lost-reply", "truncated"] as const;
  return faults.map((fault) => [share, fault] as const);
}
