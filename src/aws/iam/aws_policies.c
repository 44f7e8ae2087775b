#include "aws/iam/dialect.h"

/* AWS's own policies that stand beside functions most often, with the documents that AWS gives them (AWS managed policy
 * reference guide, one page each). Ids, dates and version numbers are AWS's where they are published; version 1 and
 * no id elsewhere. */

typedef struct AwsPolicy {
    Slice name;
    Slice path;
    Slice id; /* absent: not published */
    Slice document;
} AwsPolicy;

#define LOGS_ACTIONS "\"logs:CreateLogGroup\",\"logs:CreateLogStream\",\"logs:PutLogEvents\""
#define ALLOW_ALL_OF(actions)                                                                                          \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[" actions "],\"Resource\":\"*\"}]}"

#define ROW(policy_name, policy_path, policy_id, text)                                                                 \
    {                                                                                                                  \
        .name = SLICE_INIT(policy_name), .path = SLICE_INIT(policy_path), .id = policy_id,                             \
        .document = SLICE_INIT(text)                                                                                   \
    }
#define NO_ID                                                                                                          \
    {                                                                                                                  \
        NULL, 0                                                                                                        \
    }

static const AwsPolicy aws_policies[] = {
    ROW("AWSLambdaBasicExecutionRole", "/service-role/", SLICE_INIT("ANPAJNCQGXC42545SKXIK"),
        ALLOW_ALL_OF(LOGS_ACTIONS)),
    ROW("AWSLambdaDynamoDBExecutionRole", "/service-role/", NO_ID,
        ALLOW_ALL_OF("\"dynamodb:DescribeStream\",\"dynamodb:GetRecords\",\"dynamodb:GetShardIterator\","
                     "\"dynamodb:ListStreams\"," LOGS_ACTIONS)),
    ROW("AWSLambdaKinesisExecutionRole", "/service-role/", NO_ID,
        ALLOW_ALL_OF("\"kinesis:DescribeStream\",\"kinesis:DescribeStreamSummary\",\"kinesis:GetRecords\","
                     "\"kinesis:GetShardIterator\",\"kinesis:ListShards\",\"kinesis:ListStreams\","
                     "\"kinesis:SubscribeToShard\"," LOGS_ACTIONS)),
    ROW("AWSLambdaRole", "/service-role/", NO_ID, ALLOW_ALL_OF("\"lambda:InvokeFunction\"")),
    ROW("AWSLambdaSQSQueueExecutionRole", "/service-role/", NO_ID,
        ALLOW_ALL_OF("\"sqs:ReceiveMessage\",\"sqs:DeleteMessage\",\"sqs:GetQueueAttributes\"," LOGS_ACTIONS)),
    ROW("AWSLambdaVPCAccessExecutionRole", "/service-role/", NO_ID,
        ALLOW_ALL_OF(LOGS_ACTIONS ",\"ec2:CreateNetworkInterface\",\"ec2:DescribeNetworkInterfaces\","
                                  "\"ec2:DescribeSubnets\",\"ec2:DeleteNetworkInterface\","
                                  "\"ec2:AssignPrivateIpAddresses\",\"ec2:UnassignPrivateIpAddresses\"")),
    ROW("AWSXRayDaemonWriteAccess", "/", NO_ID,
        ALLOW_ALL_OF("\"xray:PutTraceSegments\",\"xray:PutTelemetryRecords\",\"xray:GetSamplingRules\","
                     "\"xray:GetSamplingTargets\",\"xray:GetSamplingStatisticSummaries\"")),
    ROW("AdministratorAccess", "/", SLICE_INIT("ANPAIWMBCKSKIEE64ZLYK"),
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"),
    ROW("AmazonSQSFullAccess", "/", NO_ID, ALLOW_ALL_OF("\"sqs:*\"")),
};

enum { AWS_POLICY_COUNT = sizeof aws_policies / sizeof aws_policies[0] };

static const uint64_t aws_policy_created_ms = 1428577200000; /* 2015-04-09, when the first of them came */

bool aws_policy_at(size_t place, ManagedPolicy *policy)
{
    if (place >= AWS_POLICY_COUNT)
        return false;
    const AwsPolicy *row = &aws_policies[place];
    *policy = (ManagedPolicy){
        .account = SLICE("aws"),
        .name = row->name,
        .path = row->path,
        .id = row->id,
        .created_ms = aws_policy_created_ms,
        .updated_ms = aws_policy_created_ms,
        .default_version = 1,
        .next_version = 2,
    };
    return true;
}

bool aws_policy_find(Slice path, Slice name, ManagedPolicy *policy, PolicyVersion *version)
{
    for (size_t i = 0; aws_policy_at(i, policy); i++) {
        if (!slice_equal(policy->name, name) || !slice_equal(policy->path, path))
            continue;
        *version = (PolicyVersion){1, aws_policies[i].document, aws_policy_created_ms};
        return true;
    }
    return false;
}
