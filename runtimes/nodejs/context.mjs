// The context object that a handler is given (AWS Lambda developer guide, "Using the Lambda context object to retrieve Node.js
// function information").

// `head`: the JSON that came with the event (FRAME_INVOKE).
export function makeContext(head) {
  const environment = process.env;
  const context = {
    functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: head.clientContext,
    identity: head.identity,
    invokedFunctionArn: head.functionArn,
    awsRequestId: head.requestId,
    getRemainingTimeInMillis: () => head.deadlineMs - Date.now(),
  };
  if (head.tenantId !== undefined) context.tenantId = head.tenantId;
  return context;
}
