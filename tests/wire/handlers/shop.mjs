// Orders, as an application writes it: Middy around it, Powertools inside, records of a batch one by one.
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import httpErrorHandler from '@middy/http-error-handler';
import httpJsonBodyParser from '@middy/http-json-body-parser';

const logger = new Logger({ serviceName: 'orders' });
const metrics = new Metrics({ namespace: 'shop', serviceName: 'orders' });
const tracer = new Tracer({ serviceName: 'orders' });
const processor = new BatchProcessor(EventType.SQS);

const order = async (event, context) => {
  logger.info('an order', { item: event.body.item });
  metrics.addMetric('orders', MetricUnit.Count, 1);
  const traced = await tracer.provider.captureAsyncFunc('price', async (segment) => {
    segment?.close();
    return event.body.item.length;
  });
  return { statusCode: 200, body: JSON.stringify({ item: event.body.item, price: traced, function: context.functionName }) };
};

export const handler = middy()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .use(captureLambdaHandler(tracer))
  .use(httpJsonBodyParser())
  .use(httpErrorHandler({ logger: false }))
  .handler(order);

export const batch = async (event, context) => processPartialResponse(event, async (record) => {
  if (record.body === 'bad') throw new Error('as you wish');
}, processor, { context, throwOnFullBatchFailure: false });
