/** Those of `src/lambda/`: one a lane, and one for helpers. The function that takes from each. */
const QUEUES = { takedown: "run", editor: "run", live: "run", nightly: "run", help: "help" };

/** "To allow your function time to process each batch": Lambda's guide, "Using Lambda with Amazon SQS". */
const VISIBILITY_TIMES = 6;
/** Only deaths and errors count, so a message that comes so often is poisoned. */
const RECEIVES = 5;
/** As long as SQS keeps any. */
const DEAD_SECONDS = 1_209_600;
/** A message that may be taken and is not. */
const PATIENCE_SECONDS = 900;

/** The queues with their dead letters and alarms, and what their functions need for them, as CloudFormation. */
module.exports = async ({ resolveConfigurationProperty, resolveVariable }) => {
  const name = `${await resolveConfigurationProperty(["service"])}-${await resolveVariable("sls:stage")}`;
  const Resources = {};
  for (const [lane, taker] of Object.entries(QUEUES)) {
    const seconds = await resolveConfigurationProperty(["functions", taker, "timeout"]);
    const queue = { name: `${name}-${lane}`, id: lane[0].toUpperCase() + lane.slice(1) };
    const visibility = VISIBILITY_TIMES * Number(seconds);
    Object.assign(Resources, queueWith(queue, visibility), alarmsOf(queue, visibility));
  }
  return { Resources, extensions: extensionsOf(new Set(Object.values(QUEUES))) };
};

/**
 * Functions hand on to the next by the queue that called them, which Lambda takes for a loop and ends after
 * about 16 calls otherwise: "Use Lambda recursive loop detection". Not under `functions`: `serverless` 3 has no word for it.
 */
function extensionsOf(takers) {
  const named = [...takers].map((each) => `${each[0].toUpperCase()}${each.slice(1)}LambdaFunction`);
  return Object.fromEntries(
    named.map((each) => [each, { Properties: { RecursiveLoop: "Allow" } }]),
  );
}

function queueWith({ name, id }, VisibilityTimeout) {
  return {
    [`${id}Queue`]: {
      Type: "AWS::SQS::Queue",
      Properties: {
        QueueName: name,
        VisibilityTimeout,
        SqsManagedSseEnabled: true,
        RedrivePolicy: {
          deadLetterTargetArn: arnOf(`${id}DeadLetters`),
          maxReceiveCount: RECEIVES,
        },
      },
    },
    [`${id}DeadLetters`]: {
      Type: "AWS::SQS::Queue",
      Properties: {
        QueueName: `${name}-dead`,
        MessageRetentionPeriod: DEAD_SECONDS,
        SqsManagedSseEnabled: true,
      },
    },
  };
}

/** The message of a function that died is older than those in hand: only what is older still says that nobody takes. */
function alarmsOf({ name, id }, visibility) {
  return {
    [`${id}DeadLettersAlarm`]: alarm(`${name}-dead-letters`, {
      AlarmDescription: `A message killed its function ${RECEIVES} times: docs/reference/aws.md, "Dead letters".`,
      MetricName: "ApproximateNumberOfMessagesVisible",
      queue: `${id}DeadLetters`,
      Threshold: 0,
    }),
    [`${id}WaitingAlarm`]: alarm(`${name}-waiting`, {
      AlarmDescription: 'Nobody takes messages: docs/reference/aws.md, "Messages wait".',
      MetricName: "ApproximateAgeOfOldestMessage",
      queue: `${id}Queue`,
      Threshold: visibility + PATIENCE_SECONDS,
    }),
  };
}

function alarm(AlarmName, { queue, ...rest }) {
  const Dimensions = [{ Name: "QueueName", Value: { "Fn::GetAtt": [queue, "QueueName"] } }];
  const Properties = {
    AlarmName,
    Namespace: "AWS/SQS",
    Dimensions,
    Statistic: "Maximum",
    Period: 300,
    EvaluationPeriods: 1,
    ComparisonOperator: "GreaterThanThreshold",
    TreatMissingData: "notBreaching",
    AlarmActions: [{ Ref: "Alarms" }],
    OKActions: [{ Ref: "Alarms" }],
    ...rest,
  };
  return { Type: "AWS::CloudWatch::Alarm", Properties };
}

function arnOf(id) {
  return { "Fn::GetAtt": [id, "Arn"] };
}
