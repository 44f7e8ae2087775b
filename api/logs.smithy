// CloudWatch Logs, as Brume offers it. Facts only; grammar and traits: tools/apigen.
//
// What StartLiveTail answers is a stream of messages (aws/logs/live_tail.c), whose shapes are no part of the declaration.
$version: "2"

namespace com.amazonaws.logs

@sdkId("CloudWatch Logs")
@targetPrefix("Logs_20140328")
@apiVersion("2014-03-28")
@xmlNamespace("http://logs.amazonaws.com/doc/2014-03-28/")
@protocols([awsJson1_1])
@hooks
service logs {
    // What AWS has and Brume does not have yet: answered 501.
    unsupported: [
        AssociateKmsKey
        AssociateSourceToS3TableIntegration
        CancelExportTask
        CancelImportTask
        CreateDelivery
        CreateExportTask
        CreateImportTask
        CreateLogAnomalyDetector
        CreateLookupTable
        CreateScheduledQuery
        DeleteAccountPolicy
        DeleteDataProtectionPolicy
        DeleteDelivery
        DeleteDeliveryDestination
        DeleteDeliveryDestinationPolicy
        DeleteDeliverySource
        DeleteDestination
        DeleteIndexPolicy
        DeleteIntegration
        DeleteLogAnomalyDetector
        DeleteLookupTable
        DeleteQueryDefinition
        DeleteScheduledQuery
        DeleteSyslogConfiguration
        DeleteTransformer
        DescribeAccountPolicies
        DescribeConfigurationTemplates
        DescribeDeliveries
        DescribeDeliveryDestinations
        DescribeDeliverySources
        DescribeDestinations
        DescribeExportTasks
        DescribeFieldIndexes
        DescribeImportTaskBatches
        DescribeImportTasks
        DescribeIndexPolicies
        DescribeLookupTables
        DescribeQueries
        DescribeQueryDefinitions
        DisassociateKmsKey
        DisassociateSourceFromS3TableIntegration
        GetDataProtectionPolicy
        GetDelivery
        GetDeliveryDestination
        GetDeliveryDestinationPolicy
        GetDeliverySource
        GetIntegration
        GetLogAnomalyDetector
        GetLogFields
        GetLogGroupFields
        GetLogObject
        GetLogRecord
        GetLookupTable
        GetQueryResults
        GetScheduledQuery
        GetScheduledQueryHistory
        GetStorageTierPolicy
        GetTransformer
        ListAggregateLogGroupSummaries
        ListAnomalies
        ListIntegrations
        ListLogAnomalyDetectors
        ListLogGroupsForQuery
        ListScheduledQueries
        ListSourcesForS3TableIntegration
        ListSyslogConfigurations
        PutAccountPolicy
        PutBearerTokenAuthentication
        PutDataProtectionPolicy
        PutDeliveryDestination
        PutDeliveryDestinationPolicy
        PutDeliverySource
        PutDestination
        PutDestinationPolicy
        PutIndexPolicy
        PutIntegration
        PutLogGroupDeletionProtection
        PutQueryDefinition
        PutStorageTierPolicy
        PutSyslogConfiguration
        PutTransformer
        StartQuery
        StopQuery
        TestTransformer
        UpdateAnomaly
        UpdateDeliveryConfiguration
        UpdateLogAnomalyDetector
        UpdateLookupTable
        UpdateScheduledQuery
    ]
}

@write(home: "logGroupName")
@iam(action: "logs:CreateLogGroup", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation CreateLogGroup {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @length(max: 256)
        kmsKeyId: String

        @length(min: 1, max: 50)
        tags: Tags

        logGroupClass: LogGroupClass
        deletionProtectionEnabled: Boolean
    }
    errors: [
        InvalidParameterException
        LimitExceededException
        OperationAbortedException
        ResourceAlreadyExistsException
        ServiceUnavailableException
    ]
}

map Tags {
    @length(min: 1, max: 128) @pattern("^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)$")
    key: String

    @length(max: 256) @pattern("^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$")
    value: String
}

enum LogGroupClass {
    STANDARD
    INFREQUENT_ACCESS
    DELIVERY
    ESSENTIALS
}

@write(home: "logGroupName")
@freesSpace
@iam(action: "logs:DeleteLogGroup", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation DeleteLogGroup {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String
    }
    errors: [
        InvalidParameterException
        OperationAbortedException
        ResourceNotFoundException
        ServiceUnavailableException
        ValidationException
    ]
}

@read
@iam(action: "logs:DescribeLogGroups", resource: "*")
operation DescribeLogGroups {
    input := {
        @length(min: 0, max: 20)
        accountIdentifiers: AccountIds

        @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupNamePrefix: String

        @length(min: 0, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]*")
        logGroupNamePattern: String

        @length(min: 1)
        nextToken: String

        @range(min: 1, max: 50)
        limit: Integer

        includeLinkedAccounts: Boolean
        logGroupClass: LogGroupClass

        @length(min: 1, max: 50)
        logGroupIdentifiers: DescribeLogGroupsLogGroupIdentifiers
    }
    output := {
        logGroups: LogGroups

        @length(min: 1)
        nextToken: String
    }
    errors: [
        InvalidParameterException
        ServiceUnavailableException
    ]
}

list AccountIds {
    @length(min: 12, max: 12) @pattern("^\\d{12}$")
    member: String
}

list DescribeLogGroupsLogGroupIdentifiers {
    @length(min: 1, max: 2048) @pattern("[\\w#+=/:,.@-]*")
    member: String
}

list LogGroups {
    member: LogGroup
}

structure LogGroup {
    @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
    logGroupName: String

    @range(min: 0)
    creationTime: Long

    retentionInDays: Integer
    metricFilterCount: Integer
    arn: String

    @range(min: 0)
    storedBytes: Long

    @length(max: 256)
    kmsKeyId: String

    dataProtectionStatus: DataProtectionStatus
    inheritedProperties: InheritedProperties
    logGroupClass: LogGroupClass
    logGroupArn: String
    deletionProtectionEnabled: Boolean
    bearerTokenAuthenticationEnabled: Boolean
    retentionPolicyName: String
}

enum DataProtectionStatus {
    ACTIVATED
    DELETED
    ARCHIVED
    DISABLED
}

list InheritedProperties {
    member: InheritedProperty
}

enum InheritedProperty {
    ACCOUNT_DATA_PROTECTION
}

@read
@iam(action: "logs:ListLogGroups", resource: "*")
operation ListLogGroups {
    input := {
        @length(min: 3, max: 129) @pattern("(\\^?[\\.\\-_\\/#A-Za-z0-9]{3,24})(\\|\\^?[\\.\\-_\\/#A-Za-z0-9]{3,24}){0,4}")
        logGroupNamePattern: String

        logGroupClass: LogGroupClass
        includeLinkedAccounts: Boolean

        @length(min: 0, max: 20)
        accountIdentifiers: AccountIds

        @length(min: 1)
        nextToken: String

        @range(min: 1, max: 1000)
        limit: Integer

        @length(min: 1, max: 5)
        dataSources: DataSourceFilters

        @length(min: 1, max: 20)
        fieldIndexNames: FieldIndexNames

        @length(min: 1, max: 5)
        logGroupTags: TagFilters
    }
    output := {
        logGroups: LogGroupSummaries

        @length(min: 1)
        nextToken: String
    }
    errors: [
        InvalidParameterException
        ServiceUnavailableException
    ]
}

list DataSourceFilters {
    member: DataSourceFilter
}

structure DataSourceFilter {
    @required
    name: String

    type: String
}

list FieldIndexNames {
    @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
    member: String
}

list TagFilters {
    member: TagFilter
}

structure TagFilter {
    @required @length(min: 1, max: 128) @pattern("^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)$")
    key: String

    @length(min: 0, max: 5)
    values: TagFilterValues
}

list TagFilterValues {
    @length(min: 0, max: 259) @pattern("^!?\\*?([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)\\*?$")
    member: String
}

list LogGroupSummaries {
    member: LogGroupSummary
}

structure LogGroupSummary {
    @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
    logGroupName: String

    logGroupArn: String
    logGroupClass: LogGroupClass
}

@write(home: "logGroupName")
@iam(action: "logs:PutRetentionPolicy", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation PutRetentionPolicy {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @required
        retentionInDays: Integer
    }
    errors: [
        InvalidParameterException
        OperationAbortedException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

@write(home: "logGroupName")
@iam(action: "logs:DeleteRetentionPolicy", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation DeleteRetentionPolicy {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String
    }
    errors: [
        InvalidParameterException
        OperationAbortedException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

@write(home: "logGroupName")
@iam(action: "logs:TagLogGroup", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation TagLogGroup {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @required @length(min: 1, max: 50)
        tags: Tags
    }
    errors: [
        InvalidParameterException
        ResourceNotFoundException
    ]
}

@write(home: "logGroupName")
@iam(action: "logs:UntagLogGroup", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation UntagLogGroup {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @required @length(min: 1)
        tags: TagList
    }
    errors: [
        ResourceNotFoundException
    ]
}

list TagList {
    @length(min: 1, max: 128) @pattern("^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)$")
    member: String
}

@read
@iam(action: "logs:ListTagsLogGroup", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation ListTagsLogGroup {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String
    }
    output := {
        @length(min: 1, max: 50)
        tags: Tags
    }
    errors: [
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

@write(home: "resourceArn")
@iam(action: "logs:TagResource", resource: "{resourceArn}")
operation TagResource {
    input := {
        @required @length(min: 1, max: 1011) @pattern("[\\w+=/:,.@-]*")
        resourceArn: String

        @required @length(min: 1, max: 50)
        tags: Tags
    }
    errors: [
        InvalidParameterException
        ResourceNotFoundException
        ServiceUnavailableException
        TooManyTagsException
    ]
}

@write(home: "resourceArn")
@iam(action: "logs:UntagResource", resource: "{resourceArn}")
operation UntagResource {
    input := {
        @required @length(min: 1, max: 1011) @pattern("[\\w+=/:,.@-]*")
        resourceArn: String

        @required @length(min: 0, max: 50)
        tagKeys: TagKeyList
    }
    errors: [
        InvalidParameterException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

list TagKeyList {
    @length(min: 1, max: 128) @pattern("^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)$")
    member: String
}

@read
@iam(action: "logs:ListTagsForResource", resource: "{resourceArn}")
operation ListTagsForResource {
    input := {
        @required @length(min: 1, max: 1011) @pattern("[\\w+=/:,.@-]*")
        resourceArn: String
    }
    output := {
        @length(min: 1, max: 50)
        tags: Tags
    }
    errors: [
        InvalidParameterException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

@write(home: "logGroupName")
@iam(action: "logs:CreateLogStream", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation CreateLogStream {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @required @length(min: 1, max: 512) @pattern("[^:*]*")
        logStreamName: String
    }
    errors: [
        InvalidParameterException
        ResourceAlreadyExistsException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

@write(home: "logGroupName")
@freesSpace
@iam(action: "logs:DeleteLogStream", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation DeleteLogStream {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @required @length(min: 1, max: 512) @pattern("[^:*]*")
        logStreamName: String
    }
    errors: [
        InvalidParameterException
        OperationAbortedException
        ResourceNotFoundException
        ServiceUnavailableException
        ValidationException
    ]
}

@read
@iam(action: "logs:DescribeLogStreams", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation DescribeLogStreams {
    input := {
        @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @length(min: 1, max: 2048) @pattern("[\\w#+=/:,.@-]*")
        logGroupIdentifier: String

        @length(min: 1, max: 512) @pattern("[^:*]*")
        logStreamNamePrefix: String

        orderBy: OrderBy
        descending: Boolean

        @length(min: 1)
        nextToken: String

        @range(min: 1, max: 50)
        limit: Integer
    }
    output := {
        logStreams: LogStreams

        @length(min: 1)
        nextToken: String
    }
    errors: [
        InvalidParameterException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

enum OrderBy {
    LogStreamName
    LastEventTime
}

list LogStreams {
    member: LogStream
}

structure LogStream {
    @length(min: 1, max: 512) @pattern("[^:*]*")
    logStreamName: String

    @range(min: 0)
    creationTime: Long

    @range(min: 0)
    firstEventTimestamp: Long

    @range(min: 0)
    lastEventTimestamp: Long

    @range(min: 0)
    lastIngestionTime: Long

    @length(min: 1)
    uploadSequenceToken: String

    arn: String

    @range(min: 0)
    storedBytes: Long
}

@write(home: "logGroupName")
@iam(action: "logs:PutLogEvents", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation PutLogEvents {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @required @length(min: 1, max: 512) @pattern("[^:*]*")
        logStreamName: String

        @required @length(min: 1, max: 10000)
        logEvents: InputLogEvents

        @length(min: 1)
        sequenceToken: String

        entity: Entity
    }
    output := {
        @length(min: 1)
        nextSequenceToken: String

        rejectedLogEventsInfo: RejectedLogEventsInfo
        rejectedEntityInfo: RejectedEntityInfo
    }
    errors: [
        DataAlreadyAcceptedException
        InvalidParameterException
        InvalidSequenceTokenException
        ResourceNotFoundException
        ServiceUnavailableException
        UnrecognizedClientException
    ]
}

list InputLogEvents {
    member: InputLogEvent
}

structure Entity {
    @length(min: 2, max: 4)
    keyAttributes: EntityKeyAttributes

    @length(min: 0, max: 10)
    attributes: EntityAttributes
}

structure RejectedLogEventsInfo {
    tooNewLogEventStartIndex: Integer
    tooOldLogEventEndIndex: Integer
    expiredLogEventEndIndex: Integer
}

structure RejectedEntityInfo {
    @required
    errorType: EntityRejectionErrorType
}

structure InputLogEvent {
    @required @range(min: 0)
    timestamp: Long

    @required @length(min: 1)
    message: String
}

map EntityKeyAttributes {
    @length(min: 1, max: 32)
    key: String

    @length(min: 1, max: 512)
    value: String
}

map EntityAttributes {
    @length(min: 1, max: 256)
    key: String

    @length(min: 1, max: 512)
    value: String
}

enum EntityRejectionErrorType {
    InvalidEntity
    InvalidTypeValue
    InvalidKeyAttributes
    InvalidAttributes
    EntitySizeTooLarge
    UnsupportedLogGroupType
    MissingRequiredFields
}

@read
@iam(action: "logs:GetLogEvents", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation GetLogEvents {
    input := {
        @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @length(min: 1, max: 2048) @pattern("[\\w#+=/:,.@-]*")
        logGroupIdentifier: String

        @required @length(min: 1, max: 512) @pattern("[^:*]*")
        logStreamName: String

        @range(min: 0)
        startTime: Long

        @range(min: 0)
        endTime: Long

        @length(min: 1)
        nextToken: String

        @range(min: 1, max: 10000)
        limit: Integer

        startFromHead: Boolean
        unmask: Boolean
    }
    output := {
        events: OutputLogEvents

        @length(min: 1)
        nextForwardToken: String

        @length(min: 1)
        nextBackwardToken: String
    }
    errors: [
        InvalidParameterException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

list OutputLogEvents {
    member: OutputLogEvent
}

structure OutputLogEvent {
    @range(min: 0)
    timestamp: Long

    @length(min: 1)
    message: String

    @range(min: 0)
    ingestionTime: Long
}

@read
@iam(action: "logs:FilterLogEvents", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation FilterLogEvents {
    input := {
        @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @length(min: 1, max: 2048) @pattern("[\\w#+=/:,.@-]*")
        logGroupIdentifier: String

        @length(min: 1, max: 100)
        logStreamNames: InputLogStreamNames

        @length(min: 1, max: 512) @pattern("[^:*]*")
        logStreamNamePrefix: String

        @range(min: 0)
        startTime: Long

        @range(min: 0)
        endTime: Long

        @length(min: 0, max: 1024)
        filterPattern: String

        @length(min: 1)
        nextToken: String

        @range(min: 1, max: 10000)
        limit: Integer

        startFromHead: Boolean
        interleaved: Boolean
        unmask: Boolean
    }
    output := {
        events: FilteredLogEvents
        searchedLogStreams: SearchedLogStreams

        @length(min: 1)
        nextToken: String
    }
    errors: [
        InvalidParameterException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

list InputLogStreamNames {
    @length(min: 1, max: 512) @pattern("[^:*]*")
    member: String
}

list FilteredLogEvents {
    member: FilteredLogEvent
}

list SearchedLogStreams {
    member: SearchedLogStream
}

structure FilteredLogEvent {
    @length(min: 1, max: 512) @pattern("[^:*]*")
    logStreamName: String

    @range(min: 0)
    timestamp: Long

    @length(min: 1)
    message: String

    @range(min: 0)
    ingestionTime: Long

    eventId: String
}

structure SearchedLogStream {
    @length(min: 1, max: 512) @pattern("[^:*]*")
    logStreamName: String

    searchedCompletely: Boolean
}

@async
@iam(action: "logs:StartLiveTail", resource: "{logGroupIdentifiers}")
operation StartLiveTail {
    input := {
        @required @length(min: 1, max: 10)
        logGroupIdentifiers: StartLiveTailLogGroupIdentifiers

        @length(min: 1, max: 100)
        logStreamNames: InputLogStreamNames

        @length(min: 1, max: 100)
        logStreamNamePrefixes: InputLogStreamNames

        @length(min: 0, max: 1024)
        logEventFilterPattern: String
    }
    errors: [
        AccessDeniedException
        InvalidOperationException
        InvalidParameterException
        LimitExceededException
        ResourceNotFoundException
        SessionTimeoutException
    ]
}

list StartLiveTailLogGroupIdentifiers {
    @length(min: 1, max: 2048) @pattern("[\\w#+=/:,.@-]*")
    member: String
}

@write(home: "logGroupName")
@iam(action: "logs:PutSubscriptionFilter", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation PutSubscriptionFilter {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @required @length(min: 1, max: 512) @pattern("[^:*]*")
        filterName: String

        @required @length(min: 0, max: 1024)
        filterPattern: String

        @required @length(min: 1)
        destinationArn: String

        @length(min: 1)
        roleArn: String

        distribution: Distribution
        applyOnTransformedLogs: Boolean

        @length(min: 0, max: 2000)
        fieldSelectionCriteria: String

        emitSystemFields: EmitSystemFields
    }
    errors: [
        InvalidOperationException
        InvalidParameterException
        LimitExceededException
        OperationAbortedException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

enum Distribution {
    Random
    ByLogStream
}

list EmitSystemFields {
    member: String
}

@read
@iam(action: "logs:DescribeSubscriptionFilters", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation DescribeSubscriptionFilters {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @length(min: 1, max: 512) @pattern("[^:*]*")
        filterNamePrefix: String

        @length(min: 1)
        nextToken: String

        @range(min: 1, max: 50)
        limit: Integer
    }
    output := {
        subscriptionFilters: SubscriptionFilters

        @length(min: 1)
        nextToken: String
    }
    errors: [
        InvalidParameterException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

list SubscriptionFilters {
    member: SubscriptionFilter
}

structure SubscriptionFilter {
    @length(min: 1, max: 512) @pattern("[^:*]*")
    filterName: String

    @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
    logGroupName: String

    @length(min: 0, max: 1024)
    filterPattern: String

    @length(min: 1)
    destinationArn: String

    @length(min: 1)
    roleArn: String

    distribution: Distribution
    applyOnTransformedLogs: Boolean

    @range(min: 0)
    creationTime: Long

    @length(min: 0, max: 2000)
    fieldSelectionCriteria: String

    emitSystemFields: EmitSystemFields
}

@write(home: "logGroupName")
@iam(action: "logs:DeleteSubscriptionFilter", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation DeleteSubscriptionFilter {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @required @length(min: 1, max: 512) @pattern("[^:*]*")
        filterName: String
    }
    errors: [
        InvalidParameterException
        OperationAbortedException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

@pure
@iam(action: "logs:TestMetricFilter", resource: "*")
operation TestMetricFilter {
    input := {
        @required @length(min: 0, max: 1024)
        filterPattern: String

        @required @length(min: 1, max: 50)
        logEventMessages: TestEventMessages
    }
    output := {
        matches: MetricFilterMatches
    }
    errors: [
        InvalidParameterException
        ServiceUnavailableException
    ]
}

list TestEventMessages {
    @length(min: 1)
    member: String
}

list MetricFilterMatches {
    member: MetricFilterMatchRecord
}

structure MetricFilterMatchRecord {
    eventNumber: Long

    @length(min: 1)
    eventMessage: String

    extractedValues: ExtractedValues
}

map ExtractedValues {
    key: String

    value: String
}

@write(home: "logGroupName")
@iam(action: "logs:PutMetricFilter", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation PutMetricFilter {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @required @length(min: 1, max: 512) @pattern("[^:*]*")
        filterName: String

        @required @length(min: 0, max: 1024)
        filterPattern: String

        @required @length(min: 1, max: 1)
        metricTransformations: MetricTransformations

        applyOnTransformedLogs: Boolean

        @length(min: 0, max: 2000)
        fieldSelectionCriteria: String

        emitSystemFieldDimensions: EmitSystemFields
    }
    errors: [
        InvalidOperationException
        InvalidParameterException
        LimitExceededException
        OperationAbortedException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

list MetricTransformations {
    member: MetricTransformation
}

// Recorded: a namespace may have a colon, whatever the API reference says.
structure MetricTransformation {
    @required @length(max: 255) @pattern("[^:*$]*")
    metricName: String

    @required @length(max: 255) @pattern("[^*$]*")
    metricNamespace: String

    @required @length(max: 100)
    metricValue: String

    defaultValue: Double
    unit: StandardUnit
    dimensions: Dimensions
}

map Dimensions {
    @length(max: 255)
    key: String

    @length(max: 255)
    value: String
}

enum StandardUnit {
    Seconds
    Microseconds
    Milliseconds
    Bytes
    Kilobytes
    Megabytes
    Gigabytes
    Terabytes
    Bits
    Kilobits
    Megabits
    Gigabits
    Terabits
    Percent
    Count
    Bytes_Second = "Bytes/Second"
    Kilobytes_Second = "Kilobytes/Second"
    Megabytes_Second = "Megabytes/Second"
    Gigabytes_Second = "Gigabytes/Second"
    Terabytes_Second = "Terabytes/Second"
    Bits_Second = "Bits/Second"
    Kilobits_Second = "Kilobits/Second"
    Megabits_Second = "Megabits/Second"
    Gigabits_Second = "Gigabits/Second"
    Terabits_Second = "Terabits/Second"
    Count_Second = "Count/Second"
    None
}

@read
@iam(action: "logs:DescribeMetricFilters", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation DescribeMetricFilters {
    input := {
        @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @length(min: 1, max: 512) @pattern("[^:*]*")
        filterNamePrefix: String

        @length(min: 1)
        nextToken: String

        @range(min: 1, max: 50)
        limit: Integer

        @length(max: 255) @pattern("[^:*$]*")
        metricName: String

        @length(max: 255) @pattern("[^*$]*")
        metricNamespace: String
    }
    output := {
        metricFilters: MetricFilters

        @length(min: 1)
        nextToken: String
    }
    errors: [
        InvalidParameterException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

list MetricFilters {
    member: MetricFilter
}

structure MetricFilter {
    filterName: String
    filterPattern: String
    metricTransformations: MetricTransformations
    creationTime: Long
    logGroupName: String
    applyOnTransformedLogs: Boolean
}

@write(home: "logGroupName")
@iam(action: "logs:DeleteMetricFilter", resource: "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*")
operation DeleteMetricFilter {
    input := {
        @required @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
        logGroupName: String

        @required @length(min: 1, max: 512) @pattern("[^:*]*")
        filterName: String
    }
    errors: [
        InvalidParameterException
        OperationAbortedException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

@write
@iam(action: "logs:PutResourcePolicy", resource: "*")
operation PutResourcePolicy {
    input := {
        policyName: String

        @length(min: 1, max: 51200)
        policyDocument: String

        resourceArn: String

        @length(min: 1)
        expectedRevisionId: String
    }
    output := {
        resourcePolicy: ResourcePolicy

        @length(min: 1)
        revisionId: String
    }
    errors: [
        InvalidParameterException
        LimitExceededException
        OperationAbortedException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

structure ResourcePolicy {
    policyName: String
    policyDocument: String
    lastUpdatedTime: Long
    policyScope: PolicyScope
    resourceArn: String
    revisionId: String
}

enum PolicyScope {
    ACCOUNT
    RESOURCE
}

@read
@iam(action: "logs:DescribeResourcePolicies", resource: "*")
operation DescribeResourcePolicies {
    input := {
        @length(min: 1)
        nextToken: String

        @range(min: 1, max: 50)
        limit: Integer

        resourceArn: String
        policyScope: PolicyScope
    }
    output := {
        resourcePolicies: ResourcePolicies

        @length(min: 1)
        nextToken: String
    }
    errors: [
        InvalidParameterException
        ServiceUnavailableException
    ]
}

list ResourcePolicies {
    member: ResourcePolicy
}

@write
@iam(action: "logs:DeleteResourcePolicy", resource: "*")
operation DeleteResourcePolicy {
    input := {
        policyName: String
        resourceArn: String

        @length(min: 1)
        expectedRevisionId: String
    }
    errors: [
        InvalidParameterException
        OperationAbortedException
        ResourceNotFoundException
        ServiceUnavailableException
    ]
}

@error("client")
structure InvalidParameterException {}

@error("client")
structure LimitExceededException {}

@error("client")
structure OperationAbortedException {}

@error("client")
structure ResourceAlreadyExistsException {}

@error("server")
structure ServiceUnavailableException {}

@error("client")
structure ResourceNotFoundException {}

@error("client")
structure ValidationException {}

@error("client")
structure TooManyTagsException {}

@error("client")
structure DataAlreadyAcceptedException {}

@error("client")
structure InvalidSequenceTokenException {}

@error("client")
structure UnrecognizedClientException {}

@error("client")
structure AccessDeniedException {}

@error("client")
structure InvalidOperationException {}

@error("client")
structure SessionTimeoutException {}
