// AWS Lambda, as Brume offers it. Facts only; grammar and traits: tools/apigen.
$version: "2"

namespace com.amazonaws.lambda

@sdkId("Lambda")
@apiVersion("2015-03-31")
@protocols([restJson1])
@hooks
service lambda {
    // What AWS has and Brume does not have yet: answered 501.
    unsupported: [
        @http(method: "POST", uri: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy") AddLayerVersionPermission
        @http(method: "POST", uri: "/2015-03-31/functions/{FunctionName}/policy") AddPermission
        @http(method: "POST", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint") CheckpointDurableExecution
        @http(method: "POST", uri: "/2015-03-31/functions/{FunctionName}/aliases") CreateAlias
        @http(method: "POST", uri: "/2025-11-30/capacity-providers") CreateCapacityProvider
        @http(method: "POST", uri: "/2020-04-22/code-signing-configs") CreateCodeSigningConfig
        @http(method: "POST", uri: "/2015-03-31/event-source-mappings") CreateEventSourceMapping
        @http(method: "POST", uri: "/2015-03-31/functions") CreateFunction
        @http(method: "POST", uri: "/2021-10-31/functions/{FunctionName}/url") CreateFunctionUrlConfig
        @http(method: "DELETE", uri: "/2015-03-31/functions/{FunctionName}/aliases/{Name}") DeleteAlias
        @http(method: "DELETE", uri: "/2025-11-30/capacity-providers/{CapacityProviderName}") DeleteCapacityProvider
        @http(method: "DELETE", uri: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}") DeleteCodeSigningConfig
        @http(method: "DELETE", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}") DeleteDurableExecution
        @http(method: "DELETE", uri: "/2015-03-31/event-source-mappings/{UUID}") DeleteEventSourceMapping
        @http(method: "DELETE", uri: "/2015-03-31/functions/{FunctionName}") DeleteFunction
        @http(method: "DELETE", uri: "/2020-06-30/functions/{FunctionName}/code-signing-config") DeleteFunctionCodeSigningConfig
        @http(method: "DELETE", uri: "/2017-10-31/functions/{FunctionName}/concurrency") DeleteFunctionConcurrency
        @http(method: "DELETE", uri: "/2019-09-25/functions/{FunctionName}/event-invoke-config") DeleteFunctionEventInvokeConfig
        @http(method: "DELETE", uri: "/2021-10-31/functions/{FunctionName}/url") DeleteFunctionUrlConfig
        @http(method: "DELETE", uri: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}") DeleteLayerVersion
        @http(method: "DELETE", uri: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency") DeleteProvisionedConcurrencyConfig
        @http(method: "DELETE", uri: "/2026-07-09/resource-policy/{ResourceArn}") DeleteResourcePolicy
        @http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}/aliases/{Name}") GetAlias
        @http(method: "GET", uri: "/2025-11-30/capacity-providers/{CapacityProviderName}") GetCapacityProvider
        @http(method: "GET", uri: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}") GetCodeSigningConfig
        @http(method: "GET", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}") GetDurableExecution
        @http(method: "GET", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/history") GetDurableExecutionHistory
        @http(method: "GET", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/state") GetDurableExecutionState
        @http(method: "GET", uri: "/2015-03-31/event-source-mappings/{UUID}") GetEventSourceMapping
        @http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}") GetFunction
        @http(method: "GET", uri: "/2020-06-30/functions/{FunctionName}/code-signing-config") GetFunctionCodeSigningConfig
        @http(method: "GET", uri: "/2019-09-30/functions/{FunctionName}/concurrency") GetFunctionConcurrency
        @http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}/configuration") GetFunctionConfiguration
        @http(method: "GET", uri: "/2019-09-25/functions/{FunctionName}/event-invoke-config") GetFunctionEventInvokeConfig
        @http(method: "GET", uri: "/2024-08-31/functions/{FunctionName}/recursion-config") GetFunctionRecursionConfig
        @http(method: "GET", uri: "/2025-11-30/functions/{FunctionName}/function-scaling-config") GetFunctionScalingConfig
        @http(method: "GET", uri: "/2021-10-31/functions/{FunctionName}/url") GetFunctionUrlConfig
        @http(method: "GET", uri: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}") GetLayerVersion
        @http(method: "GET", uri: "/2018-10-31/layers?find=LayerVersion") GetLayerVersionByArn
        @http(method: "GET", uri: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy") GetLayerVersionPolicy
        @http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}/policy") GetPolicy
        @http(method: "GET", uri: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency") GetProvisionedConcurrencyConfig
        @http(method: "GET", uri: "/2026-07-09/resource-policy/{ResourceArn}") GetResourcePolicy
        @http(method: "GET", uri: "/2021-07-20/functions/{FunctionName}/runtime-management-config") GetRuntimeManagementConfig
        @http(method: "POST", uri: "/2014-11-13/functions/{FunctionName}/invoke-async") InvokeAsync
        @http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}/aliases") ListAliases
        @http(method: "GET", uri: "/2025-11-30/capacity-providers") ListCapacityProviders
        @http(method: "GET", uri: "/2020-04-22/code-signing-configs") ListCodeSigningConfigs
        @http(method: "GET", uri: "/2025-12-01/functions/{FunctionName}/durable-executions") ListDurableExecutionsByFunction
        @http(method: "GET", uri: "/2015-03-31/event-source-mappings") ListEventSourceMappings
        @http(method: "GET", uri: "/2019-09-25/functions/{FunctionName}/event-invoke-config/list") ListFunctionEventInvokeConfigs
        @http(method: "GET", uri: "/2021-10-31/functions/{FunctionName}/urls") ListFunctionUrlConfigs
        @http(method: "GET", uri: "/2025-11-30/capacity-providers/{CapacityProviderName}/function-versions") ListFunctionVersionsByCapacityProvider
        @http(method: "GET", uri: "/2015-03-31/functions") ListFunctions
        @http(method: "GET", uri: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions") ListFunctionsByCodeSigningConfig
        @http(method: "GET", uri: "/2018-10-31/layers/{LayerName}/versions") ListLayerVersions
        @http(method: "GET", uri: "/2018-10-31/layers") ListLayers
        @http(method: "GET", uri: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency?List=ALL") ListProvisionedConcurrencyConfigs
        @http(method: "GET", uri: "/2017-03-31/tags/{Resource}") ListTags
        @http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}/versions") ListVersionsByFunction
        @http(method: "POST", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/pause") PauseDurableExecution
        @http(method: "POST", uri: "/2018-10-31/layers/{LayerName}/versions") PublishLayerVersion
        @http(method: "POST", uri: "/2015-03-31/functions/{FunctionName}/versions") PublishVersion
        @http(method: "PUT", uri: "/2020-06-30/functions/{FunctionName}/code-signing-config") PutFunctionCodeSigningConfig
        @http(method: "PUT", uri: "/2017-10-31/functions/{FunctionName}/concurrency") PutFunctionConcurrency
        @http(method: "PUT", uri: "/2019-09-25/functions/{FunctionName}/event-invoke-config") PutFunctionEventInvokeConfig
        @http(method: "PUT", uri: "/2024-08-31/functions/{FunctionName}/recursion-config") PutFunctionRecursionConfig
        @http(method: "PUT", uri: "/2025-11-30/functions/{FunctionName}/function-scaling-config") PutFunctionScalingConfig
        @http(method: "PUT", uri: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency") PutProvisionedConcurrencyConfig
        @http(method: "PUT", uri: "/2026-07-09/resource-policy/{ResourceArn}") PutResourcePolicy
        @http(method: "PUT", uri: "/2021-07-20/functions/{FunctionName}/runtime-management-config") PutRuntimeManagementConfig
        @http(method: "DELETE", uri: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}") RemoveLayerVersionPermission
        @http(method: "DELETE", uri: "/2015-03-31/functions/{FunctionName}/policy/{StatementId}") RemovePermission
        @http(method: "POST", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/resume") ResumeDurableExecution
        @http(method: "POST", uri: "/2025-12-01/durable-execution-callbacks/{CallbackId}/fail") SendDurableExecutionCallbackFailure
        @http(method: "POST", uri: "/2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat") SendDurableExecutionCallbackHeartbeat
        @http(method: "POST", uri: "/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed") SendDurableExecutionCallbackSuccess
        @http(method: "POST", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/stop") StopDurableExecution
        @http(method: "POST", uri: "/2017-03-31/tags/{Resource}") TagResource
        @http(method: "DELETE", uri: "/2017-03-31/tags/{Resource}") UntagResource
        @http(method: "PUT", uri: "/2015-03-31/functions/{FunctionName}/aliases/{Name}") UpdateAlias
        @http(method: "PUT", uri: "/2025-11-30/capacity-providers/{CapacityProviderName}") UpdateCapacityProvider
        @http(method: "PUT", uri: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}") UpdateCodeSigningConfig
        @http(method: "PUT", uri: "/2015-03-31/event-source-mappings/{UUID}") UpdateEventSourceMapping
        @http(method: "PUT", uri: "/2015-03-31/functions/{FunctionName}/code") UpdateFunctionCode
        @http(method: "PUT", uri: "/2015-03-31/functions/{FunctionName}/configuration") UpdateFunctionConfiguration
        @http(method: "POST", uri: "/2019-09-25/functions/{FunctionName}/event-invoke-config") UpdateFunctionEventInvokeConfig
        @http(method: "PUT", uri: "/2021-10-31/functions/{FunctionName}/url") UpdateFunctionUrlConfig
    ]
}

@pure
@iam(action: "lambda:GetAccountSettings", resource: "*")
@http(method: "GET", uri: "/2016-08-19/account-settings", code: 200)
operation GetAccountSettings {
    input := {}
    output := {
        AccountLimit: AccountLimit
        AccountUsage: AccountUsage
    }
    errors: [
        ServiceException
        TooManyRequestsException
    ]
}

structure AccountLimit {
    TotalCodeSize: Long
    CodeSizeUnzipped: Long
    CodeSizeZipped: Long
    ConcurrentExecutions: Integer

    @range(min: 0)
    UnreservedConcurrentExecutions: Integer
}

structure AccountUsage {
    TotalCodeSize: Long
    FunctionCount: Long
}

@error("server") @httpError(500)
structure ServiceException {
    Type: String
    Message: String
}

@error("client") @httpError(429)
structure TooManyRequestsException {
    @httpHeader("Retry-After")
    retryAfterSeconds: String

    Type: String
    message: String
    Reason: ThrottleReason
}

enum ThrottleReason {
    ConcurrentInvocationLimitExceeded
    FunctionInvocationRateLimitExceeded
    ReservedFunctionConcurrentInvocationLimitExceeded
    ReservedFunctionInvocationRateLimitExceeded
    CallerRateLimitExceeded
    ConcurrentSnapshotCreateLimitExceeded
}

// ---- Invoke ----

@async
@iam(action: "lambda:InvokeFunction", resource: "{FunctionName.arn}")
@http(method: "POST", uri: "/2015-03-31/functions/{FunctionName}/invocations", code: 200)
@bodyLimit("LAMBDA_REQUEST_BYTES")
operation Invoke {
    input := {
        @required @httpLabel @length(min: 1, max: 256)
        FunctionName: String

        @httpHeader("X-Amz-Invocation-Type")
        InvocationType: InvocationType

        @httpHeader("X-Amz-Log-Type")
        LogType: LogType

        @httpHeader("X-Amz-Client-Context")
        ClientContext: String

        @length(min: 1, max: 64) @pattern("[a-zA-Z0-9-_]+") @httpHeader("X-Amz-Durable-Execution-Name")
        DurableExecutionName: String

        @httpPayload
        Payload: Blob

        @length(min: 1, max: 128) @httpQuery("Qualifier")
        Qualifier: String

        @length(min: 1, max: 256) @pattern("[a-zA-Z0-9\\._:\\/=+\\-@ ]+") @httpHeader("X-Amz-Tenant-Id")
        TenantId: String
    }
    output := {
        @httpResponseCode
        StatusCode: Integer

        @httpHeader("X-Amz-Function-Error")
        FunctionError: String

        @httpHeader("X-Amz-Log-Result")
        LogResult: String

        @httpPayload
        Payload: Blob

        @httpHeader("X-Amz-Executed-Version")
        ExecutedVersion: String

        @httpHeader("X-Amz-Durable-Execution-Arn")
        DurableExecutionArn: String
    }
    errors: [
        InvalidParameterValueException
        InvalidRequestContentException
        InvalidRuntimeException
        RecursiveInvocationException
        RequestTooLargeException
        ResourceConflictException
        ResourceNotFoundException
        ResourceNotReadyException
        ServiceException
        TooManyRequestsException
    ]
}

@async
@iam(action: "lambda:InvokeFunction", resource: "{FunctionName.arn}")
@http(method: "POST", uri: "/2021-11-15/functions/{FunctionName}/response-streaming-invocations", code: 200)
@bodyLimit("LAMBDA_REQUEST_BYTES")
operation InvokeWithResponseStream {
    input := {
        @required @httpLabel @length(min: 1, max: 256)
        FunctionName: String

        @httpHeader("X-Amz-Invocation-Type")
        InvocationType: ResponseStreamingInvocationType

        @httpHeader("X-Amz-Log-Type")
        LogType: LogType

        @httpHeader("X-Amz-Client-Context")
        ClientContext: String

        @length(min: 1, max: 128) @httpQuery("Qualifier")
        Qualifier: String

        @httpPayload
        Payload: Blob

        @length(min: 1, max: 256) @pattern("[a-zA-Z0-9\\._:\\/=+\\-@ ]+") @httpHeader("X-Amz-Tenant-Id")
        TenantId: String
    }
    output := {
        @httpResponseCode
        StatusCode: Integer

        @httpHeader("X-Amz-Executed-Version")
        ExecutedVersion: String

        // Messages of an event stream: PayloadChunk, whose payload is bytes, and at the end InvokeComplete.
        @httpPayload @streaming
        EventStream: Blob

        @httpHeader("Content-Type")
        ResponseStreamContentType: String
    }
    errors: [
        InvalidParameterValueException
        InvalidRequestContentException
        InvalidRuntimeException
        RecursiveInvocationException
        RequestTooLargeException
        ResourceConflictException
        ResourceNotFoundException
        ResourceNotReadyException
        ServiceException
        TooManyRequestsException
    ]
}

enum InvocationType {
    Event
    RequestResponse
    DryRun
}

enum ResponseStreamingInvocationType {
    RequestResponse
    DryRun
}

enum LogType {
    None
    Tail
}

@error("client") @httpError(400)
structure InvalidParameterValueException {
    Type: String
    message: String
}

@error("client") @httpError(400)
structure InvalidRequestContentException {
    Type: String
    message: String
}

@error("server") @httpError(502)
structure InvalidRuntimeException {
    Type: String
    Message: String
}

@error("client") @httpError(400)
structure RecursiveInvocationException {
    Type: String
    Message: String
}

@error("client") @httpError(413)
structure RequestTooLargeException {
    Type: String
    message: String
}

@error("client") @httpError(409)
structure ResourceConflictException {
    Type: String
    message: String
}

@error("client") @httpError(404)
structure ResourceNotFoundException {
    Type: String
    Message: String
}

@error("server") @httpError(502)
structure ResourceNotReadyException {
    Type: String
    message: String
}
