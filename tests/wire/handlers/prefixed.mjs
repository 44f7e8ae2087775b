// Calls an operation whose SDK puts a prefix before the host's name; gives what it was answered.
import { SFNClient, StartSyncExecutionCommand } from "@aws-sdk/client-sfn";

const clients = [
  new SFNClient({}),
  new SFNClient({ endpoint: process.env.AWS_ENDPOINT_URL }),
  new SFNClient({ disableHostPrefix: true }),
];
const command = new StartSyncExecutionCommand({ stateMachineArn: "arn:aws:states:us-east-1:123456789012:stateMachine:it" });

export const handler = () => Promise.all(clients.map((client) => client.send(command).catch((error) => error.message)));
