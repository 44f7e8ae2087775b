// Amazon SQS, as Brume offers it. Facts only; grammar and traits: tools/apigen.
//
// Names of attributes are strings, not enums: SQS refuses unknown ones in its own words (InvalidAttributeName), and some
// of them only for some queues. Entries of batches carry no ranges: SQS refuses them one by one.
$version: "2"

namespace com.amazonaws.sqs

@sdkId("SQS")
@targetPrefix("AmazonSQS")
@apiVersion("2012-11-05")
@xmlNamespace("http://queue.amazonaws.com/doc/2012-11-05/")
@protocols([awsJson1_0, awsQuery])
@awsQueryCompatible
@xmlErrorDetail
@hooks
service sqs {
    // What AWS has and Brume does not have yet: nothing.
    unsupported: [
    ]
}

// ---- Queues ----

@write(home: "QueueName")
@rootOnly
@iam(action: "sqs:CreateQueue", resource: "arn:aws:sqs:{region}:{account}:{QueueName}")
operation CreateQueue {
    input := {
        @required
        QueueName: String

        @xmlFlattened @xmlName("Attribute")
        Attributes: QueueAttributeMap

        @xmlFlattened @xmlName("Tag")
        tags: TagMap
    }
    output := {
        QueueUrl: String
    }
    errors: [
        InvalidAddress
        InvalidAttributeName
        InvalidAttributeValue
        InvalidSecurity
        QueueDeletedRecently
        QueueNameExists
        RequestThrottled
        UnsupportedOperation
    ]
}

@read
@iam(action: "sqs:GetQueueUrl", resource: "arn:aws:sqs:{region}:{account}:{QueueName}")
operation GetQueueUrl {
    input := {
        @required
        QueueName: String

        QueueOwnerAWSAccountId: String
    }
    output := {
        QueueUrl: String
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

@read
@rootOnly
@iam(action: "sqs:ListQueues", resource: "*")
operation ListQueues {
    input := {
        QueueNamePrefix: String
        NextToken: String

        @range(min: 1, max: 1000)
        MaxResults: Integer
    }
    output := {
        @xmlFlattened @xmlName("QueueUrl")
        QueueUrls: QueueUrlList

        NextToken: String
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        RequestThrottled
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl")
@freesSpace
@iam(action: "sqs:DeleteQueue", resource: "{QueueUrl.arn}")
operation DeleteQueue {
    input := {
        @required
        QueueUrl: String
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

@read
@iam(action: "sqs:GetQueueAttributes", resource: "{QueueUrl.arn}")
operation GetQueueAttributes {
    input := {
        @required
        QueueUrl: String

        @xmlFlattened @xmlName("AttributeName")
        AttributeNames: AttributeNameList
    }
    output := {
        @xmlFlattened @xmlName("Attribute")
        Attributes: QueueAttributeMap
    }
    errors: [
        InvalidAddress
        InvalidAttributeName
        InvalidSecurity
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl")
@iam(action: "sqs:SetQueueAttributes", resource: "{QueueUrl.arn}")
operation SetQueueAttributes {
    input := {
        @required
        QueueUrl: String

        @required @xmlFlattened @xmlName("Attribute")
        Attributes: QueueAttributeMap
    }
    errors: [
        InvalidAddress
        InvalidAttributeName
        InvalidAttributeValue
        InvalidSecurity
        OverLimit
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl")
@freesSpace
@iam(action: "sqs:PurgeQueue", resource: "{QueueUrl.arn}")
operation PurgeQueue {
    input := {
        @required
        QueueUrl: String
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        PurgeQueueInProgress
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

// ---- Messages ----

@write(home: "QueueUrl") @prepared
@iam(action: "sqs:SendMessage", resource: "{QueueUrl.arn}")
operation SendMessage {
    input := {
        @required
        QueueUrl: String

        @required
        MessageBody: String

        @range(min: 0, max: 900)
        DelaySeconds: Integer

        @xmlFlattened @xmlName("MessageAttribute")
        MessageAttributes: MessageBodyAttributeMap

        @xmlFlattened @xmlName("MessageSystemAttribute")
        MessageSystemAttributes: MessageBodySystemAttributeMap

        MessageDeduplicationId: String
        MessageGroupId: String
    }
    output := {
        MD5OfMessageBody: String
        MD5OfMessageAttributes: String
        MD5OfMessageSystemAttributes: String
        MessageId: String
        SequenceNumber: String
    }
    errors: [
        InvalidAddress
        InvalidMessageContents
        InvalidSecurity
        KmsAccessDenied
        KmsDisabled
        KmsInvalidKeyUsage
        KmsInvalidState
        KmsNotFound
        KmsOptInRequired
        KmsThrottled
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl") @prepared
@iam(action: "sqs:SendMessage", resource: "{QueueUrl.arn}")
operation SendMessageBatch {
    input := {
        @required
        QueueUrl: String

        @required @xmlFlattened @xmlName("SendMessageBatchRequestEntry")
        Entries: SendMessageBatchRequestEntryList
    }
    output := {
        @xmlFlattened @xmlName("SendMessageBatchResultEntry")
        Successful: SendMessageBatchResultEntryList

        @xmlFlattened @xmlName("BatchResultErrorEntry")
        Failed: BatchResultErrorEntryList
    }
    errors: [
        BatchEntryIdsNotDistinct
        BatchRequestTooLong
        EmptyBatchRequest
        InvalidAddress
        InvalidBatchEntryId
        InvalidSecurity
        KmsAccessDenied
        KmsDisabled
        KmsInvalidKeyUsage
        KmsInvalidState
        KmsNotFound
        KmsOptInRequired
        KmsThrottled
        QueueDoesNotExist
        RequestThrottled
        TooManyEntriesInBatchRequest
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl")
@iam(action: "sqs:ReceiveMessage", resource: "{QueueUrl.arn}")
operation ReceiveMessage {
    input := {
        @required
        QueueUrl: String

        @xmlFlattened @xmlName("AttributeName")
        AttributeNames: AttributeNameList

        // AWS's model gives it the Query name of AttributeNames; one name can lead to one member only, so that what comes
        // as AttributeName.N stands in AttributeNames, and the body takes both together.
        @xmlFlattened @xmlName("MessageSystemAttributeName")
        MessageSystemAttributeNames: MessageSystemAttributeList

        @xmlFlattened @xmlName("MessageAttributeName")
        MessageAttributeNames: MessageAttributeNameList

        @range(min: 1, max: 10)
        MaxNumberOfMessages: Integer

        @range(min: 0, max: 43200)
        VisibilityTimeout: Integer

        @range(min: 0, max: 20)
        WaitTimeSeconds: Integer

        ReceiveRequestAttemptId: String
    }
    output := {
        @xmlFlattened @xmlName("Message")
        Messages: MessageList
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        KmsAccessDenied
        KmsDisabled
        KmsInvalidKeyUsage
        KmsInvalidState
        KmsNotFound
        KmsOptInRequired
        KmsThrottled
        OverLimit
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl")
@freesSpace
@iam(action: "sqs:DeleteMessage", resource: "{QueueUrl.arn}")
operation DeleteMessage {
    input := {
        @required
        QueueUrl: String

        @required
        ReceiptHandle: String
    }
    errors: [
        InvalidAddress
        InvalidIdFormat
        InvalidSecurity
        QueueDoesNotExist
        ReceiptHandleIsInvalid
        RequestThrottled
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl")
@freesSpace
@iam(action: "sqs:DeleteMessage", resource: "{QueueUrl.arn}")
operation DeleteMessageBatch {
    input := {
        @required
        QueueUrl: String

        @required @xmlFlattened @xmlName("DeleteMessageBatchRequestEntry")
        Entries: DeleteMessageBatchRequestEntryList
    }
    output := {
        @xmlFlattened @xmlName("DeleteMessageBatchResultEntry")
        Successful: DeleteMessageBatchResultEntryList

        @xmlFlattened @xmlName("BatchResultErrorEntry")
        Failed: BatchResultErrorEntryList
    }
    errors: [
        BatchEntryIdsNotDistinct
        EmptyBatchRequest
        InvalidAddress
        InvalidBatchEntryId
        InvalidSecurity
        QueueDoesNotExist
        RequestThrottled
        TooManyEntriesInBatchRequest
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl")
@iam(action: "sqs:ChangeMessageVisibility", resource: "{QueueUrl.arn}")
operation ChangeMessageVisibility {
    input := {
        @required
        QueueUrl: String

        @required
        ReceiptHandle: String

        @required @range(min: 0, max: 43200)
        VisibilityTimeout: Integer
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        MessageNotInflight
        QueueDoesNotExist
        ReceiptHandleIsInvalid
        RequestThrottled
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl")
@iam(action: "sqs:ChangeMessageVisibility", resource: "{QueueUrl.arn}")
operation ChangeMessageVisibilityBatch {
    input := {
        @required
        QueueUrl: String

        @required @xmlFlattened @xmlName("ChangeMessageVisibilityBatchRequestEntry")
        Entries: ChangeMessageVisibilityBatchRequestEntryList
    }
    output := {
        @xmlFlattened @xmlName("ChangeMessageVisibilityBatchResultEntry")
        Successful: ChangeMessageVisibilityBatchResultEntryList

        @xmlFlattened @xmlName("BatchResultErrorEntry")
        Failed: BatchResultErrorEntryList
    }
    errors: [
        BatchEntryIdsNotDistinct
        EmptyBatchRequest
        InvalidAddress
        InvalidBatchEntryId
        InvalidSecurity
        QueueDoesNotExist
        RequestThrottled
        TooManyEntriesInBatchRequest
        UnsupportedOperation
    ]
}

// ---- Tags ----

@write(home: "QueueUrl")
@iam(action: "sqs:TagQueue", resource: "{QueueUrl.arn}")
operation TagQueue {
    input := {
        @required
        QueueUrl: String

        @required @xmlFlattened @xmlName("Tag")
        Tags: TagMap
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl")
@iam(action: "sqs:UntagQueue", resource: "{QueueUrl.arn}")
operation UntagQueue {
    input := {
        @required
        QueueUrl: String

        @required @xmlFlattened @xmlName("TagKey")
        TagKeys: TagKeyList
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

@read
@iam(action: "sqs:ListQueueTags", resource: "{QueueUrl.arn}")
operation ListQueueTags {
    input := {
        @required
        QueueUrl: String
    }
    output := {
        @xmlFlattened @xmlName("Tag")
        Tags: TagMap
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

// ---- Permissions ----

@write(home: "QueueUrl")
@iam(action: "sqs:AddPermission", resource: "{QueueUrl.arn}")
operation AddPermission {
    input := {
        @required
        QueueUrl: String

        @required
        Label: String

        @required @xmlFlattened @xmlName("AWSAccountId")
        AWSAccountIds: AWSAccountIdList

        @required @xmlFlattened @xmlName("ActionName")
        Actions: ActionNameList
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        OverLimit
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

@write(home: "QueueUrl")
@iam(action: "sqs:RemovePermission", resource: "{QueueUrl.arn}")
operation RemovePermission {
    input := {
        @required
        QueueUrl: String

        @required
        Label: String
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

// ---- Dead letters ----

@read
@iam(action: "sqs:ListDeadLetterSourceQueues", resource: "{QueueUrl.arn}")
operation ListDeadLetterSourceQueues {
    input := {
        @required
        QueueUrl: String

        NextToken: String

        @range(min: 1, max: 1000)
        MaxResults: Integer
    }
    output := {
        @required @xmlFlattened @xmlName("QueueUrl")
        queueUrls: QueueUrlList

        NextToken: String
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        QueueDoesNotExist
        RequestThrottled
        UnsupportedOperation
    ]
}

@write(home: "SourceArn")
@rootOnly
@iam(action: "sqs:StartMessageMoveTask", resource: "{SourceArn}")
operation StartMessageMoveTask {
    input := {
        @required
        SourceArn: String

        DestinationArn: String

        @range(min: 1, max: 500)
        MaxNumberOfMessagesPerSecond: Integer
    }
    output := {
        TaskHandle: String
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        RequestThrottled
        ResourceNotFoundException
        UnsupportedOperation
    ]
}

@write(home: "TaskHandle")
@rootOnly
@iam(action: "sqs:CancelMessageMoveTask", resource: "{TaskHandle.arn}")
operation CancelMessageMoveTask {
    input := {
        @required
        TaskHandle: String
    }
    output := {
        ApproximateNumberOfMessagesMoved: Long
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        RequestThrottled
        ResourceNotFoundException
        UnsupportedOperation
    ]
}

@read
@rootOnly
@iam(action: "sqs:ListMessageMoveTasks", resource: "{SourceArn}")
operation ListMessageMoveTasks {
    input := {
        @required
        SourceArn: String

        @range(min: 1, max: 10)
        MaxResults: Integer
    }
    output := {
        @xmlFlattened @xmlName("ListMessageMoveTasksResultEntry")
        Results: ListMessageMoveTasksResultEntryList
    }
    errors: [
        InvalidAddress
        InvalidSecurity
        RequestThrottled
        ResourceNotFoundException
        UnsupportedOperation
    ]
}

// ---- Shapes ----

list QueueUrlList {
    member: String
}

list TagKeyList {
    member: String
}

list AWSAccountIdList {
    member: String
}

list ActionNameList {
    member: String
}

list ListMessageMoveTasksResultEntryList {
    member: ListMessageMoveTasksResultEntry
}

structure ListMessageMoveTasksResultEntry {
    TaskHandle: String
    Status: String
    SourceArn: String
    DestinationArn: String
    MaxNumberOfMessagesPerSecond: Integer
    ApproximateNumberOfMessagesMoved: Long
    ApproximateNumberOfMessagesToMove: Long
    FailureReason: String
    StartedTimestamp: Long
}

list AttributeNameList {
    member: String
}

list MessageSystemAttributeList {
    member: String
}

list MessageAttributeNameList {
    member: String
}

map QueueAttributeMap {
    @xmlName("Name")
    key: String

    @xmlName("Value")
    value: String
}

map TagMap {
    @xmlName("Key")
    key: String

    @xmlName("Value")
    value: String
}

map MessageBodyAttributeMap {
    @xmlName("Name")
    key: String

    @xmlName("Value")
    value: MessageAttributeValue
}

map MessageBodySystemAttributeMap {
    @xmlName("Name")
    key: String

    @xmlName("Value")
    value: MessageSystemAttributeValue
}

map MessageSystemAttributeMap {
    @xmlName("Name")
    key: String

    @xmlName("Value")
    value: String
}

structure MessageAttributeValue {
    StringValue: String
    BinaryValue: Blob

    @xmlFlattened @xmlName("StringListValue")
    StringListValues: StringList

    @xmlFlattened @xmlName("BinaryListValue")
    BinaryListValues: BinaryList

    @required
    DataType: String
}

structure MessageSystemAttributeValue {
    StringValue: String
    BinaryValue: Blob

    @xmlFlattened @xmlName("StringListValue")
    StringListValues: StringList

    @xmlFlattened @xmlName("BinaryListValue")
    BinaryListValues: BinaryList

    @required
    DataType: String
}

list StringList {
    member: String
}

list BinaryList {
    member: Blob
}

list MessageList {
    member: Message
}

structure Message {
    MessageId: String
    ReceiptHandle: String
    MD5OfBody: String
    Body: String

    @xmlFlattened @xmlName("Attribute")
    Attributes: MessageSystemAttributeMap

    MD5OfMessageAttributes: String

    @xmlFlattened @xmlName("MessageAttribute")
    MessageAttributes: MessageBodyAttributeMap
}

list SendMessageBatchRequestEntryList {
    member: SendMessageBatchRequestEntry
}

structure SendMessageBatchRequestEntry {
    @required
    Id: String

    @required
    MessageBody: String

    DelaySeconds: Integer

    @xmlFlattened @xmlName("MessageAttribute")
    MessageAttributes: MessageBodyAttributeMap

    @xmlFlattened @xmlName("MessageSystemAttribute")
    MessageSystemAttributes: MessageBodySystemAttributeMap

    MessageDeduplicationId: String
    MessageGroupId: String
}

list SendMessageBatchResultEntryList {
    member: SendMessageBatchResultEntry
}

structure SendMessageBatchResultEntry {
    Id: String
    MessageId: String
    MD5OfMessageBody: String
    MD5OfMessageAttributes: String
    MD5OfMessageSystemAttributes: String
    SequenceNumber: String
}

list DeleteMessageBatchRequestEntryList {
    member: DeleteMessageBatchRequestEntry
}

structure DeleteMessageBatchRequestEntry {
    @required
    Id: String

    @required
    ReceiptHandle: String
}

list DeleteMessageBatchResultEntryList {
    member: DeleteMessageBatchResultEntry
}

structure DeleteMessageBatchResultEntry {
    Id: String
}

list ChangeMessageVisibilityBatchRequestEntryList {
    member: ChangeMessageVisibilityBatchRequestEntry
}

structure ChangeMessageVisibilityBatchRequestEntry {
    @required
    Id: String

    @required
    ReceiptHandle: String

    VisibilityTimeout: Integer
}

list ChangeMessageVisibilityBatchResultEntryList {
    member: ChangeMessageVisibilityBatchResultEntry
}

structure ChangeMessageVisibilityBatchResultEntry {
    Id: String
}

list BatchResultErrorEntryList {
    member: BatchResultErrorEntry
}

structure BatchResultErrorEntry {
    Id: String
    SenderFault: Boolean
    Code: String
    Message: String
}

// ---- Errors ----

@error("client") @httpError(400)
@awsQueryError(code: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", httpResponseCode: 400)
structure BatchEntryIdsNotDistinct {}

@error("client") @httpError(400)
@awsQueryError(code: "AWS.SimpleQueueService.BatchRequestTooLong", httpResponseCode: 400)
structure BatchRequestTooLong {}

@error("client") @httpError(400)
@awsQueryError(code: "AWS.SimpleQueueService.EmptyBatchRequest", httpResponseCode: 400)
structure EmptyBatchRequest {}

@error("client") @httpError(404)
@awsQueryError(code: "InvalidAddress", httpResponseCode: 404)
structure InvalidAddress {}

@error("client")
structure InvalidAttributeName {}

@error("client")
structure InvalidAttributeValue {}

@error("client") @httpError(400)
@awsQueryError(code: "AWS.SimpleQueueService.InvalidBatchEntryId", httpResponseCode: 400) @noXmlErrorDetail
@message("A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
structure InvalidBatchEntryId {}

@error("client")
structure InvalidIdFormat {}

@error("client")
structure InvalidMessageContents {}

@error("client") @httpError(403)
@awsQueryError(code: "InvalidSecurity", httpResponseCode: 403)
structure InvalidSecurity {}

@error("client") @httpError(400)
@awsQueryError(code: "KMS.AccessDeniedException", httpResponseCode: 400)
structure KmsAccessDenied {}

@error("client") @httpError(400)
@awsQueryError(code: "KMS.DisabledException", httpResponseCode: 400)
structure KmsDisabled {}

@error("client") @httpError(400)
@awsQueryError(code: "KMS.InvalidKeyUsageException", httpResponseCode: 400)
structure KmsInvalidKeyUsage {}

@error("client") @httpError(400)
@awsQueryError(code: "KMS.InvalidStateException", httpResponseCode: 400)
structure KmsInvalidState {}

@error("client") @httpError(400)
@awsQueryError(code: "KMS.NotFoundException", httpResponseCode: 400)
structure KmsNotFound {}

@error("client") @httpError(403)
@awsQueryError(code: "KMS.OptInRequired", httpResponseCode: 403)
structure KmsOptInRequired {}

@error("client") @httpError(400)
@awsQueryError(code: "KMS.ThrottlingException", httpResponseCode: 400)
structure KmsThrottled {}

@error("client") @httpError(400)
@awsQueryError(code: "AWS.SimpleQueueService.MessageNotInflight", httpResponseCode: 400)
structure MessageNotInflight {}

@error("client") @httpError(403)
@awsQueryError(code: "OverLimit", httpResponseCode: 403)
structure OverLimit {}

@error("client") @httpError(403)
@awsQueryError(code: "AWS.SimpleQueueService.PurgeQueueInProgress", httpResponseCode: 403)
structure PurgeQueueInProgress {}

@error("client") @httpError(400)
@awsQueryError(code: "AWS.SimpleQueueService.QueueDeletedRecently", httpResponseCode: 400)
@message("You must wait 60 seconds after deleting a queue before you can create another with the same name.")
structure QueueDeletedRecently {}

// The two protocols say it in different words.
@error("client") @httpError(400)
@awsQueryError(code: "AWS.SimpleQueueService.NonExistentQueue", httpResponseCode: 400)
@message("The specified queue does not exist.", query: "The specified queue does not exist for this wsdl version.")
structure QueueDoesNotExist {}

@error("client") @httpError(400)
@awsQueryError(code: "QueueAlreadyExists", httpResponseCode: 400) @noXmlErrorDetail
structure QueueNameExists {}

@error("client") @httpError(404)
@awsQueryError(code: "ReceiptHandleIsInvalid", httpResponseCode: 404)
structure ReceiptHandleIsInvalid {}

@error("client") @httpError(403)
@awsQueryError(code: "RequestThrottled", httpResponseCode: 403)
structure RequestThrottled {}

@error("client") @httpError(404)
@awsQueryError(code: "ResourceNotFoundException", httpResponseCode: 404)
structure ResourceNotFoundException {}

@error("client") @httpError(400)
@awsQueryError(code: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", httpResponseCode: 400)
structure TooManyEntriesInBatchRequest {}

@error("client") @httpError(400)
@awsQueryError(code: "AWS.SimpleQueueService.UnsupportedOperation", httpResponseCode: 400)
structure UnsupportedOperation {}
