/** What Lambda tells a function of its invocation, as far as ours care. */
export interface Context {
  /** Of this invocation alone. */
  readonly awsRequestId: string;
  /** ms until the function is killed. */
  getRemainingTimeInMillis(): number;
}

/** Messages of one queue (Lambda, "Using Lambda with Amazon SQS"). */
export interface QueueEvent {
  readonly Records: readonly QueueRecord[];
}

export interface QueueRecord {
  readonly messageId: string;
  readonly body: string;
}

/** Of the messages of an event those that come again, and in the end to the dead letters. */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}
