#include "aws/iam/dialect.h"
#include "base/digest.h"

/* CreateServiceLinkedRole, DeleteServiceLinkedRole, GetServiceLinkedRoleDeletionStatus. */

/* The roles that services of AWS have made for them (the services' user guides, "Using service-linked roles"; AWS managed
 * policy reference guide). */
typedef struct ServiceRole {
    Slice service;
    Slice name;   /* empty: not in the table, though the service is known to take no suffix */
    Slice policy; /* of AWS, under /aws-service-role/ */
    bool takes_suffix;
    const char *description; /* NULL: none */
} ServiceRole;

static const ServiceRole service_roles[] = {
    {SLICE_INIT("accountdiscovery.ssm.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("acm.amazonaws.com"), SLICE_INIT("AWSServiceRoleForCertificateManager"),
     SLICE_INIT("CertificateManagerServiceRolePolicy"), true, NULL},
    {SLICE_INIT("appmesh.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAppMesh"),
     SLICE_INIT("AWSAppMeshServiceRolePolicy"), false, NULL},
    {SLICE_INIT("autoscaling-plans.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("autoscaling.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAutoScaling"),
     SLICE_INIT("AutoScalingServiceRolePolicy"), true, NULL},
    {SLICE_INIT("backup.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("batch.amazonaws.com"), SLICE_INIT("AWSServiceRoleForBatch"), SLICE_INIT("BatchServiceRolePolicy"),
     true, NULL},
    {SLICE_INIT("cks.kms.amazonaws.com"), SLICE_INIT("AWSServiceRoleForKeyManagementServiceCustomKeyStores"),
     SLICE_INIT("AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy"), false, NULL},
    {SLICE_INIT("cloudtrail.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("codestar-notifications.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("config.amazonaws.com"), SLICE_INIT("AWSServiceRoleForConfig"),
     SLICE_INIT("AWSConfigServiceRolePolicy"), true, NULL},
    {SLICE_INIT("connect.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAmazonConnect"),
     SLICE_INIT("AmazonConnectServiceLinkedRolePolicy"), true, NULL},
    {SLICE_INIT("dms-fleet-advisor.amazonaws.com"), SLICE_INIT("AWSServiceRoleForDMSFleetAdvisor"),
     SLICE_INIT("AWSDMSFleetAdvisorServiceRolePolicy"), true, NULL},
    {SLICE_INIT("dms.amazonaws.com"), SLICE_INIT("AWSServiceRoleForDMSServerless"),
     SLICE_INIT("AWSDMSServerlessServiceRolePolicy"), true, NULL},
    {SLICE_INIT("ec2-instance-connect.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("ec2.application-autoscaling.amazonaws.com"),
     SLICE_INIT("AWSServiceRoleForApplicationAutoScaling_EC2SpotFleetRequest"),
     SLICE_INIT("AWSApplicationAutoscalingEC2SpotFleetRequestPolicy"), false, NULL},
    {SLICE_INIT("ecr.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("ecs.amazonaws.com"), SLICE_INIT("AWSServiceRoleForECS"), SLICE_INIT("AmazonECSServiceRolePolicy"),
     true, NULL},
    {SLICE_INIT("eks-connector.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAmazonEKSConnector"),
     SLICE_INIT("AmazonEKSConnectorServiceRolePolicy"), true, NULL},
    {SLICE_INIT("eks-nodegroup.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAmazonEKSNodegroup"),
     SLICE_INIT("AWSServiceRoleForAmazonEKSNodegroup"), false, NULL},
    {SLICE_INIT("eks.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAmazonEKS"),
     SLICE_INIT("AmazonEKSServiceRolePolicy"), true, NULL},
    {SLICE_INIT("elasticache.amazonaws.com"), SLICE_INIT("AWSServiceRoleForElastiCache"),
     SLICE_INIT("ElastiCacheServiceRolePolicy"), true, NULL},
    {SLICE_INIT("elasticbeanstalk.amazonaws.com"), SLICE_INIT("AWSServiceRoleForElasticBeanstalk"),
     SLICE_INIT("AWSElasticBeanstalkServiceRolePolicy"), false, NULL},
    {SLICE_INIT("elasticfilesystem.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAmazonElasticFileSystem"),
     SLICE_INIT("AmazonElasticFileSystemServiceRolePolicy"), false, NULL},
    {SLICE_INIT("elasticloadbalancing.amazonaws.com"), SLICE_INIT("AWSServiceRoleForElasticLoadBalancing"),
     SLICE_INIT("AWSElasticLoadBalancingServiceRolePolicy"), true, NULL},
    {SLICE_INIT("emr-containers.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAmazonEMRContainers"),
     SLICE_INIT("AmazonEMRContainersServiceRolePolicy"), false, NULL},
    {SLICE_INIT("emrwal.amazonaws.com"), SLICE_INIT("AWSServiceRoleForEMRWAL"),
     SLICE_INIT("EMRDescribeClusterPolicyForEMRWAL"), false, NULL},
    {SLICE_INIT("fis.amazonaws.com"), SLICE_INIT("AWSServiceRoleForFIS"), SLICE_INIT("AmazonFISServiceRolePolicy"),
     true, NULL},
    {SLICE_INIT("grafana.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAmazonGrafana"),
     SLICE_INIT("AmazonGrafanaServiceLinkedRolePolicy"), true, NULL},
    {SLICE_INIT("imagebuilder.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("iotmanagedintegrations.amazonaws.com"), SLICE_INIT("AWSServiceRoleForIoTManagedIntegrations"),
     SLICE_INIT("AWSIoTManagedIntegrationsRolePolicy"), false, NULL},
    {SLICE_INIT("kafka.amazonaws.com"), SLICE_INIT("AWSServiceRoleForKafka"), SLICE_INIT("KafkaServiceRolePolicy"),
     false, NULL},
    {SLICE_INIT("lex.amazonaws.com"), SLICE_INIT("AWSServiceRoleForLexBots"), SLICE_INIT("AmazonLexBotPolicy"), false,
     NULL},
    {SLICE_INIT("lexv2.amazonaws.com"), SLICE_INIT("AWSServiceRoleForLexV2Bots"), SLICE_INIT("AmazonLexV2BotPolicy"),
     true, NULL},
    {SLICE_INIT("m2.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAWSM2"), SLICE_INIT("AWSM2ServicePolicy"), false,
     NULL},
    {SLICE_INIT("mq.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAmazonMQ"), SLICE_INIT("AmazonMQServiceRolePolicy"),
     true, NULL},
    {SLICE_INIT("mrk.kms.amazonaws.com"), SLICE_INIT("AWSServiceRoleForKeyManagementServiceMultiRegionKeys"),
     SLICE_INIT("AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy"), true, NULL},
    {SLICE_INIT("observability.aoss.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAmazonOpenSearchServerless"),
     SLICE_INIT("AmazonOpenSearchServerlessServiceRolePolicy"), true, NULL},
    {SLICE_INIT("opensearchservice.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("ops.apigateway.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("ops.emr-serverless.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("opsdatasync.ssm.amazonaws.com"), SLICE_INIT("AWSServiceRoleForSystemsManagerOpsDataSync"),
     SLICE_INIT("AWSSystemsManagerOpsDataSyncServiceRolePolicy"), false, NULL},
    {SLICE_INIT("pullthroughcache.ecr.amazonaws.com"), SLICE_INIT("AWSServiceRoleForECRPullThroughCache"),
     SLICE_INIT("AWSECRPullThroughCache_ServiceRolePolicy"), false, NULL},
    {SLICE_INIT("rds.amazonaws.com"), SLICE_INIT("AWSServiceRoleForRDS"), SLICE_INIT("AmazonRDSServiceRolePolicy"),
     false, "Allows Amazon RDS to manage AWS resources on your behalf"},
    {SLICE_INIT("redshift.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("replication.cassandra.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("replication.ecr.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("repository.sync.codeconnections.amazonaws.com"), SLICE_INIT("AWSServiceRoleForGitSync"),
     SLICE_INIT("AWSGitSyncServiceRolePolicy"), false, NULL},
    {SLICE_INIT("resource-explorer-2.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("rolesanywhere.amazonaws.com"), SLICE_INIT("AWSServiceRoleForRolesAnywhere"),
     SLICE_INIT("AWSRolesAnywhereServicePolicy"), true, NULL},
    {SLICE_INIT("ses.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAmazonSES"),
     SLICE_INIT("AmazonSESServiceRolePolicy"), true, NULL},
    {SLICE_INIT("shield.amazonaws.com"), SLICE_INIT("AWSServiceRoleForAWSShield"),
     SLICE_INIT("AWSShieldServiceRolePolicy"), true, NULL},
    {SLICE_INIT("ssm-incidents.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("sso.amazonaws.com"), SLICE_INIT("AWSServiceRoleForSSO"), SLICE_INIT("AWSSSOServiceRolePolicy"), false,
     "Service-linked role used by AWS SSO to manage AWS resources, including IAM roles, policies and SAML IdP on your "
     "behalf."},
    {SLICE_INIT("vpcorigin.cloudfront.amazonaws.com"), SLICE_INIT("AWSServiceRoleForCloudFrontVPCOrigin"),
     SLICE_INIT("AWSCloudFrontVPCOriginServiceRolePolicy"), true, NULL},
    {SLICE_INIT("waf.amazonaws.com"), SLICE_INIT(""), SLICE_INIT(""), false, NULL},
    {SLICE_INIT("wafv2.amazonaws.com"), SLICE_INIT("AWSServiceRoleForWAFV2Logging"),
     SLICE_INIT("WAFV2LoggingServiceRolePolicy"), false, NULL},
};

enum { SESSION_MAX_S = 3600 };

static Error find_service(Call *call, Slice service, Slice suffix, const ServiceRole **found)
{
    *found = NULL;
    for (size_t i = 0; i < sizeof service_roles / sizeof service_roles[0]; i++)
        if (slice_equal(service_roles[i].service, service))
            *found = &service_roles[i];
    if (*found != NULL && suffix.data != NULL && !(*found)->takes_suffix)
        return call_fail(call, &iam_error_invalid_input_exception, "Custom suffix is not allowed for %.*s",
                         SLICE_PRINT(service));
    if (*found == NULL || (*found)->name.size == 0)
        return call_fail(call, &common_not_implemented, "Brume does not have the service-linked role of %.*s.",
                         SLICE_PRINT(service));
    return OK;
}

Error iam_create_service_linked_role(Call *call, Txn *txn, const CreateServiceLinkedRoleInput *in,
                                     CreateServiceLinkedRoleOutput *out)
{
    const ServiceRole *service;
    TRY(find_service(call, in->aws_service_name, in->custom_suffix, &service));
    TRY(iam_check_text(call, "description", in->description));
    Identity role = {
        .kind = IDENTITY_ROLE,
        .account = call->actor.account,
        .name = in->custom_suffix.data == NULL ? service->name
                                               : arena_format(call->arena, "%.*s_%.*s", SLICE_PRINT(service->name),
                                                              SLICE_PRINT(in->custom_suffix)),
        .path = arena_format(call->arena, "/aws-service-role/%.*s/", SLICE_PRINT(service->service)),
        .trust = arena_format(call->arena,
                              "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":\"sts:AssumeRole\",\"Effect\":"
                              "\"Allow\",\"Principal\":{\"Service\":\"%.*s\"}}]}",
                              SLICE_PRINT(service->service)),
        .description = in->description.data != NULL ? in->description : slice_of_string(service->description),
        .session_max_s = SESSION_MAX_S,
    };
    Error error = identity_create(txn, &role);
    if (error == IDENTITY_EXISTS)
        return call_fail(call, &iam_error_invalid_input_exception,
                         "Service role name %.*s has been taken in this account, please try a different suffix.",
                         SLICE_PRINT(role.name));
    if (error != OK)
        return error;
    TRY(attachment_put(
        txn, &role,
        arena_format(call->arena, "arn:aws:iam::aws:policy/aws-service-role/%.*s", SLICE_PRINT(service->policy))));
    out->role = ARENA_NEW(call->arena, IamRole);
    *out->role = iam_role_of(call, &role, IAM_CREATED);
    return OK;
}

/* Nothing uses the role: it goes at once, and the task is done when it is given. */
Error iam_delete_service_linked_role(Call *call, Txn *txn, const DeleteServiceLinkedRoleInput *in,
                                     DeleteServiceLinkedRoleOutput *out)
{
    Identity role;
    Slice *policies;
    IdentityPage page = {.limit = IAM_PAGE};
    size_t count;
    unsigned char random[16];
    char uuid[UUID_TEXT_SIZE];
    TRY(iam_open(call, txn, IDENTITY_ROLE, in->role_name, &role));
    if (!slice_starts_with(role.path, SLICE("/aws-service-role/")))
        return call_fail(call, &iam_error_invalid_input_exception, "Role %.*s is not a service-linked role.",
                         SLICE_PRINT(in->role_name));
    TRY(attachment_list(txn, &role, (Slice){0}, &page, &policies, &count));
    for (size_t i = 0; i < count; i++)
        TRY(attachment_delete(txn, &role, policies[i]));
    TRY(identity_delete(txn, &role));
    txn_random_bytes(txn, random, sizeof random);
    random[6] = (unsigned char)(0x40 | (random[6] & 0x0f)); /* version 4 (RFC 9562 section 5.4) */
    random[8] = (unsigned char)(0x80 | (random[8] & 0x3f));
    uuid_format(random, uuid);
    out->deletion_task_id = arena_format(call->arena, "task%.*s%.*s/%.*s", SLICE_PRINT(role.path),
                                         SLICE_PRINT(role.name), UUID_TEXT_SIZE, uuid);
    identity_deletion_put(txn, &role, out->deletion_task_id);
    return OK;
}

Error iam_get_service_linked_role_deletion_status(Call *call, Txn *txn,
                                                  const GetServiceLinkedRoleDeletionStatusInput *in,
                                                  GetServiceLinkedRoleDeletionStatusOutput *out)
{
    bool found;
    Slice path = in->deletion_task_id; /* "task/aws-service-role/SERVICE/NAME/UUID" */
    path.size -= iam_name_of_arn(path).size;
    path.size -= path.size > 0;
    TRY(identity_deletion_find(txn, call->actor.account, iam_name_of_arn(path), in->deletion_task_id, &found));
    if (!found)
        return iam_no_such_entity(call, "Deletion task %.*s cannot be found.", SLICE_PRINT(in->deletion_task_id));
    out->status = SLICE("SUCCEEDED");
    return OK;
}
