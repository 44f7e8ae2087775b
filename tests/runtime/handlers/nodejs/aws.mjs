// A client of the AWS SDK that is given neither endpoint nor credentials.
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";

const client = new SQSClient({ maxAttempts: 1 });

export const handler = async () => (await client.send(new ListQueuesCommand({}))).QueueUrls;
