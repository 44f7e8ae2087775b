// Handlers that answer in pieces, and ones that do not.

export const hello = async (event, context) => ({ hello: event.name ?? "world", request: context.awsRequestId });

export const pieces = awslambda.streamifyResponse(async (event, responseStream) => {
  const stream = awslambda.HttpResponseStream.from(responseStream, { statusCode: 201, headers: { "x-mist": "yes" } });
  for (let i = 0; i < event.count; i++) stream.write(`piece ${i}\n`);
  stream.end();
});

export const large = awslambda.streamifyResponse(async (event, responseStream) => {
  responseStream.setContentType("application/octet-stream");
  const piece = Buffer.alloc(1 << 20, 120);
  for (let i = 0; i < event.megabytes; i++)
    if (!responseStream.write(piece)) await new Promise((resolve) => responseStream.once("drain", resolve));
  responseStream.end();
});

export const broken = awslambda.streamifyResponse(async (event, responseStream) => {
  responseStream.write("half");
  throw new Error("mid-stream");
});

export const hang = async () => new Promise(() => setInterval(() => {}, 1000));
export const leave = async () => process.exit(3);
