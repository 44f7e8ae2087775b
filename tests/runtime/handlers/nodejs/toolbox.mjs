// Powertools for AWS Lambda and Middy, unmodified, as their documentation shows them.
import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit, Metrics } from "@aws-lambda-powertools/metrics";
import { Tracer } from "@aws-lambda-powertools/tracer";
import middy from "@middy/core";
import { executionModeStreamifyResponse } from "@middy/core/StreamifyResponse";
import httpErrorHandler from "@middy/http-error-handler";
import httpJsonBodyParser from "@middy/http-json-body-parser";
import { Readable } from "node:stream";

const logger = new Logger({ serviceName: "shop" });
const metrics = new Metrics({ namespace: "shop", serviceName: "orders" });
const tracer = new Tracer({ serviceName: "shop" });
const batch = new BatchProcessor(EventType.SQS);

export const order = middy(async (event) => {
  logger.info("ordering", { item: event.body.item });
  metrics.addMetric("ordered", MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
  return { statusCode: 200, body: event.body.item, traced: tracer.isTracingEnabled() };
})
  .use(injectLambdaContext(logger))
  .use(httpJsonBodyParser())
  .use(httpErrorHandler({ logger: false }));

export const records = async (event, context) =>
  processPartialResponse(
    event,
    async (record) => {
      if (record.body === "bad") throw new Error("a bad record");
    },
    batch,
    { context, throwOnFullBatchFailure: false },
  );

export const streamed = middy({ executionMode: executionModeStreamifyResponse }).handler(async (event) => ({
  statusCode: 201,
  headers: { "content-type": "text/plain" },
  body: Readable.from(["streamed ", "by ", "Middy"]),
}));
