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
        @http(method: "POST", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint") CheckpointDurableExecution
        @http(method: "POST", uri: "/2025-11-30/capacity-providers") CreateCapacityProvider
        @http(method: "POST", uri: "/2020-04-22/code-signing-configs") CreateCodeSigningConfig
        @http(method: "POST", uri: "/2015-03-31/event-source-mappings") CreateEventSourceMapping
        @http(method: "DELETE", uri: "/2025-11-30/capacity-providers/{CapacityProviderName}") DeleteCapacityProvider
        @http(method: "DELETE", uri: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}") DeleteCodeSigningConfig
        @http(method: "DELETE", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}") DeleteDurableExecution
        @http(method: "DELETE", uri: "/2015-03-31/event-source-mappings/{UUID}") DeleteEventSourceMapping
        @http(method: "DELETE", uri: "/2020-06-30/functions/{FunctionName}/code-signing-config") DeleteFunctionCodeSigningConfig
        @http(method: "DELETE", uri: "/2026-07-09/resource-policy/{ResourceArn}") DeleteResourcePolicy
        @http(method: "GET", uri: "/2025-11-30/capacity-providers/{CapacityProviderName}") GetCapacityProvider
        @http(method: "GET", uri: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}") GetCodeSigningConfig
        @http(method: "GET", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}") GetDurableExecution
        @http(method: "GET", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/history") GetDurableExecutionHistory
        @http(method: "GET", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/state") GetDurableExecutionState
        @http(method: "GET", uri: "/2015-03-31/event-source-mappings/{UUID}") GetEventSourceMapping
        @http(method: "GET", uri: "/2020-06-30/functions/{FunctionName}/code-signing-config") GetFunctionCodeSigningConfig
        @http(method: "GET", uri: "/2025-11-30/functions/{FunctionName}/function-scaling-config") GetFunctionScalingConfig
        @http(method: "GET", uri: "/2026-07-09/resource-policy/{ResourceArn}") GetResourcePolicy
        @http(method: "GET", uri: "/2025-11-30/capacity-providers") ListCapacityProviders
        @http(method: "GET", uri: "/2020-04-22/code-signing-configs") ListCodeSigningConfigs
        @http(method: "GET", uri: "/2025-12-01/functions/{FunctionName}/durable-executions") ListDurableExecutionsByFunction
        @http(method: "GET", uri: "/2015-03-31/event-source-mappings") ListEventSourceMappings
        @http(method: "GET", uri: "/2025-11-30/capacity-providers/{CapacityProviderName}/function-versions") ListFunctionVersionsByCapacityProvider
        @http(method: "GET", uri: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions") ListFunctionsByCodeSigningConfig
        @http(method: "POST", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/pause") PauseDurableExecution
        @http(method: "PUT", uri: "/2020-06-30/functions/{FunctionName}/code-signing-config") PutFunctionCodeSigningConfig
        @http(method: "PUT", uri: "/2025-11-30/functions/{FunctionName}/function-scaling-config") PutFunctionScalingConfig
        @http(method: "PUT", uri: "/2026-07-09/resource-policy/{ResourceArn}") PutResourcePolicy
        @http(method: "POST", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/resume") ResumeDurableExecution
        @http(method: "POST", uri: "/2025-12-01/durable-execution-callbacks/{CallbackId}/fail") SendDurableExecutionCallbackFailure
        @http(method: "POST", uri: "/2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat") SendDurableExecutionCallbackHeartbeat
        @http(method: "POST", uri: "/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed") SendDurableExecutionCallbackSuccess
        @http(method: "POST", uri: "/2025-12-01/durable-executions/{DurableExecutionArn}/stop") StopDurableExecution
        @http(method: "PUT", uri: "/2025-11-30/capacity-providers/{CapacityProviderName}") UpdateCapacityProvider
        @http(method: "PUT", uri: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}") UpdateCodeSigningConfig
        @http(method: "PUT", uri: "/2015-03-31/event-source-mappings/{UUID}") UpdateEventSourceMapping
    ]
}

@read
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

// ---- Functions, versions, aliases ----

@async @bodyLimit("LAMBDA_UPLOAD_BODY_BYTES")
@iam(action: "lambda:CreateFunction", resource: "*")
@http(method: "POST", uri: "/2015-03-31/functions", code: 201)
operation CreateFunction {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?")
        FunctionName: String

        Runtime: String

        @required @length(min: 0, max: 10000) @pattern("arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+")
        Role: String

        @length(min: 0, max: 128) @pattern("[^\\s]+")
        Handler: String

        @required
        Code: FunctionCode

        @length(min: 0, max: 256)
        Description: String

        @range(min: 1, max: 900)
        Timeout: Integer

        @range(min: 128, max: 10240)
        MemorySize: Integer

        Publish: Boolean
        PublishTo: String
        VpcConfig: VpcConfig
        PackageType: PackageType
        DeadLetterConfig: DeadLetterConfig
        Environment: Environment

        @length(min: 0, max: 10000) @pattern("(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")
        KMSKeyArn: String

        TracingConfig: TracingConfig
        Tags: Tags
        Layers: LayerList

        @length(min: 0, max: 1)
        FileSystemConfigs: FileSystemConfigList

        @length(min: 0, max: 200) @pattern("arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:code-signing-config:csc-[a-z0-9]{17}")
        CodeSigningConfigArn: String

        ImageConfig: Document

        @length(min: 1, max: 1)
        Architectures: ArchitecturesList

        EphemeralStorage: EphemeralStorage
        SnapStart: SnapStart
        LoggingConfig: LoggingConfig
        TenancyConfig: TenancyConfig
        CapacityProviderConfig: Document
        DurableConfig: Document
        RuntimeConfig: Document
        AcceleratorConfig: Document
    }
    output: FunctionConfiguration
    errors: [
        CodeStorageExceededException
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetFunction", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}", code: 200)
operation GetFunction {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String
    }
    output := {
        Configuration: FunctionConfiguration
        Code: FunctionCodeLocation
        Tags: Tags
        Concurrency: Concurrency
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetFunctionConfiguration", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}/configuration", code: 200)
operation GetFunctionConfiguration {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String
    }
    output: FunctionConfiguration
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:ListFunctions", resource: "*")
@http(method: "GET", uri: "/2015-03-31/functions", code: 200)
operation ListFunctions {
    input := {
        @length(min: 1, max: 50) @pattern("ALL|(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}") @httpQuery("MasterRegion")
        MasterRegion: String

        @httpQuery("FunctionVersion")
        FunctionVersion: FunctionVersion

        @httpQuery("Marker")
        Marker: String

        @range(min: 1, max: 10000) @httpQuery("MaxItems")
        MaxItems: Integer
    }
    output := {
        NextMarker: String
        Functions: FunctionList
    }
    errors: [
        InvalidParameterValueException
        ServiceException
        TooManyRequestsException
    ]
}

@async @bodyLimit("LAMBDA_UPLOAD_BODY_BYTES")
@iam(action: "lambda:UpdateFunctionCode", resource: "{FunctionName.arn}")
@http(method: "PUT", uri: "/2015-03-31/functions/{FunctionName}/code", code: 200)
operation UpdateFunctionCode {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        ZipFile: Blob
        S3Bucket: String

        @length(min: 1, max: 1024) @pattern(".*")
        S3Key: String

        @length(min: 1, max: 1024) @pattern(".*")
        S3ObjectVersion: String

        S3ObjectStorageMode: String
        ImageUri: String

        @length(min: 1, max: 1)
        Architectures: ArchitecturesList

        Publish: Boolean
        PublishTo: String
        DryRun: Boolean
        RevisionId: String

        @length(min: 0, max: 10000) @pattern("(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")
        SourceKMSKeyArn: String
    }
    output: FunctionConfiguration
    errors: [
        CodeStorageExceededException
        InvalidParameterValueException
        PreconditionFailedException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:UpdateFunctionConfiguration", resource: "{FunctionName.arn}")
@http(method: "PUT", uri: "/2015-03-31/functions/{FunctionName}/configuration", code: 200)
operation UpdateFunctionConfiguration {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 0, max: 10000) @pattern("arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+")
        Role: String

        @length(min: 0, max: 128) @pattern("[^\\s]+")
        Handler: String

        @length(min: 0, max: 256)
        Description: String

        @range(min: 1, max: 900)
        Timeout: Integer

        @range(min: 128, max: 10240)
        MemorySize: Integer

        VpcConfig: VpcConfig
        Environment: Environment
        Runtime: String
        DeadLetterConfig: DeadLetterConfig

        @length(min: 0, max: 10000) @pattern("(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")
        KMSKeyArn: String

        TracingConfig: TracingConfig
        RevisionId: String
        Layers: LayerList

        @length(min: 0, max: 1)
        FileSystemConfigs: FileSystemConfigList

        ImageConfig: Document
        EphemeralStorage: EphemeralStorage
        SnapStart: SnapStart
        LoggingConfig: LoggingConfig
        CapacityProviderConfig: Document
        DurableConfig: Document
        RuntimeConfig: Document
        AcceleratorConfig: Document
    }
    output: FunctionConfiguration
    errors: [
        InvalidParameterValueException
        PreconditionFailedException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName") @freesSpace
@iam(action: "lambda:DeleteFunction", resource: "{FunctionName.arn}")
@http(method: "DELETE", uri: "/2015-03-31/functions/{FunctionName}", code: 200)
operation DeleteFunction {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String
    }
    output := {
        @httpResponseCode
        StatusCode: Integer
    }
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:PublishVersion", resource: "{FunctionName.arn}")
@http(method: "POST", uri: "/2015-03-31/functions/{FunctionName}/versions", code: 201)
operation PublishVersion {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        CodeSha256: String

        @length(min: 0, max: 256)
        Description: String

        RevisionId: String
        PublishTo: String
    }
    output: FunctionConfiguration
    errors: [
        CodeStorageExceededException
        InvalidParameterValueException
        PreconditionFailedException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:ListVersionsByFunction", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}/versions", code: 200)
operation ListVersionsByFunction {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @httpQuery("Marker")
        Marker: String

        @range(min: 1, max: 10000) @httpQuery("MaxItems")
        MaxItems: Integer
    }
    output := {
        NextMarker: String
        Versions: FunctionList
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:CreateAlias", resource: "{FunctionName.arn}")
@http(method: "POST", uri: "/2015-03-31/functions/{FunctionName}/aliases", code: 201)
operation CreateAlias {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @length(min: 1, max: 128) @pattern("(?!^[0-9]+$)([a-zA-Z0-9-_]+)")
        Name: String

        @required @length(min: 1, max: 1024) @pattern("(\\$LATEST(\\.PUBLISHED)?|[0-9]+)")
        FunctionVersion: String

        @length(min: 0, max: 256)
        Description: String

        RoutingConfig: AliasRoutingConfiguration
    }
    output: AliasConfiguration
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetAlias", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}/aliases/{Name}", code: 200)
operation GetAlias {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @length(min: 1, max: 128) @pattern("(?!^[0-9]+$)([a-zA-Z0-9-_]+)") @httpLabel
        Name: String
    }
    output: AliasConfiguration
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:ListAliases", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}/aliases", code: 200)
operation ListAliases {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 1024) @pattern("(\\$LATEST(\\.PUBLISHED)?|[0-9]+)") @httpQuery("FunctionVersion")
        FunctionVersion: String

        @httpQuery("Marker")
        Marker: String

        @range(min: 1, max: 10000) @httpQuery("MaxItems")
        MaxItems: Integer
    }
    output := {
        NextMarker: String
        Aliases: AliasList
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:UpdateAlias", resource: "{FunctionName.arn}")
@http(method: "PUT", uri: "/2015-03-31/functions/{FunctionName}/aliases/{Name}", code: 200)
operation UpdateAlias {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @length(min: 1, max: 128) @pattern("(?!^[0-9]+$)([a-zA-Z0-9-_]+)") @httpLabel
        Name: String

        @length(min: 1, max: 1024) @pattern("(\\$LATEST(\\.PUBLISHED)?|[0-9]+)")
        FunctionVersion: String

        @length(min: 0, max: 256)
        Description: String

        RoutingConfig: AliasRoutingConfiguration
        RevisionId: String
    }
    output: AliasConfiguration
    errors: [
        InvalidParameterValueException
        PreconditionFailedException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName") @freesSpace
@iam(action: "lambda:DeleteAlias", resource: "{FunctionName.arn}")
@http(method: "DELETE", uri: "/2015-03-31/functions/{FunctionName}/aliases/{Name}", code: 204)
operation DeleteAlias {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @length(min: 1, max: 128) @pattern("(?!^[0-9]+$)([a-zA-Z0-9-_]+)") @httpLabel
        Name: String
    }
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetRuntimeManagementConfig", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2021-07-20/functions/{FunctionName}/runtime-management-config", code: 200)
operation GetRuntimeManagementConfig {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String
    }
    output := {
        UpdateRuntimeOn: UpdateRuntimeOn
        FunctionArn: String
        RuntimeVersionArn: String
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:PutRuntimeManagementConfig", resource: "{FunctionName.arn}")
@http(method: "PUT", uri: "/2021-07-20/functions/{FunctionName}/runtime-management-config", code: 200)
operation PutRuntimeManagementConfig {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String

        @required
        UpdateRuntimeOn: UpdateRuntimeOn

        @length(min: 26, max: 2048) @pattern("((arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}::runtime:.+)|(arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:runtime/[A-Za-z0-9_.-]{1,128}/version/[A-Za-z0-9_.-]{1,128}))")
        RuntimeVersionArn: String
    }
    output := {
        UpdateRuntimeOn: UpdateRuntimeOn
        FunctionArn: String
        RuntimeVersionArn: String
    }
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetFunctionRecursionConfig", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2024-08-31/functions/{FunctionName}/recursion-config", code: 200)
operation GetFunctionRecursionConfig {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)") @httpLabel
        FunctionName: String
    }
    output := {
        RecursiveLoop: RecursiveLoop
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:PutFunctionRecursionConfig", resource: "{FunctionName.arn}")
@http(method: "PUT", uri: "/2024-08-31/functions/{FunctionName}/recursion-config", code: 200)
operation PutFunctionRecursionConfig {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)") @httpLabel
        FunctionName: String

        @required
        RecursiveLoop: RecursiveLoop
    }
    output := {
        RecursiveLoop: RecursiveLoop
    }
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

structure FunctionCode {
    ZipFile: Blob
    S3Bucket: String

    @length(min: 1, max: 1024) @pattern(".*")
    S3Key: String

    @length(min: 1, max: 1024) @pattern(".*")
    S3ObjectVersion: String

    S3ObjectStorageMode: String
    ImageUri: String

    @length(min: 0, max: 10000) @pattern("(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")
    SourceKMSKeyArn: String
}

structure VpcConfig {
    @length(min: 0, max: 16)
    SubnetIds: SubnetIds

    @length(min: 0, max: 5)
    SecurityGroupIds: SecurityGroupIds

    Ipv6AllowedForDualStack: Boolean
}

enum PackageType {
    Zip
    Image
}

structure DeadLetterConfig {
    @length(min: 0, max: 10000) @pattern("(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")
    TargetArn: String
}

structure Environment {
    Variables: EnvironmentVariables
}

structure TracingConfig {
    Mode: TracingMode
}

map Tags {
    @length(min: 1, max: 128) @pattern("([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)")
    key: String

    @length(min: 0, max: 256) @pattern("([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)")
    value: String
}

list LayerList {
    @length(min: 1, max: 2048) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)")
    member: String
}

list FileSystemConfigList {
    member: FileSystemConfig
}

list ArchitecturesList {
    member: Architecture
}

structure EphemeralStorage {
    @required @range(min: 512, max: 10240)
    Size: Integer
}

structure SnapStart {
    ApplyOn: SnapStartApplyOn
}

structure LoggingConfig {
    LogFormat: LogFormat
    ApplicationLogLevel: ApplicationLogLevel
    SystemLogLevel: SystemLogLevel

    @length(min: 1, max: 512) @pattern("[\\.\\-_/#A-Za-z0-9]+")
    LogGroup: String
}

structure TenancyConfig {
    @required
    TenantIsolationMode: TenantIsolationMode
}

structure EnvironmentResponse {
    Variables: EnvironmentVariables
}

structure TracingConfigResponse {
    Mode: TracingMode
}

list LayersReferenceList {
    member: Layer
}

structure SnapStartResponse {
    ApplyOn: SnapStartApplyOn
    OptimizationStatus: String
}

structure RuntimeVersionConfig {
    RuntimeVersionArn: String
}

structure FunctionConfiguration {
    FunctionName: String
    FunctionArn: String
    Runtime: String
    Role: String
    Handler: String
    CodeSize: Long
    Description: String
    Timeout: Integer
    MemorySize: Integer
    LastModified: String
    CodeSha256: String
    Version: String
    DeadLetterConfig: DeadLetterConfig
    Environment: EnvironmentResponse
    TracingConfig: TracingConfigResponse
    RevisionId: String
    Layers: LayersReferenceList
    State: String
    StateReason: String
    StateReasonCode: String
    LastUpdateStatus: String
    LastUpdateStatusReason: String
    LastUpdateStatusReasonCode: String
    PackageType: PackageType
    Architectures: ArchitecturesList
    EphemeralStorage: EphemeralStorage
    SnapStart: SnapStartResponse
    RuntimeVersionConfig: RuntimeVersionConfig
    LoggingConfig: LoggingConfig
    TenancyConfig: TenancyConfig
}

structure FunctionCodeLocation {
    RepositoryType: String
    Location: String
}

structure Concurrency {
    ReservedConcurrentExecutions: Integer
}

enum FunctionVersion {
    ALL
}

list FunctionList {
    member: FunctionConfiguration
}

structure AliasRoutingConfiguration {
    AdditionalVersionWeights: AdditionalVersionWeights
}

list AliasList {
    member: AliasConfiguration
}

enum UpdateRuntimeOn {
    Auto
    Manual
    FunctionUpdate
}

// In the order in which AWS tells them.
enum RecursiveLoop {
    Terminate
    Allow
}

list SubnetIds {
    @length(min: 0, max: 1024) @pattern("subnet-[0-9a-z]*")
    member: String
}

list SecurityGroupIds {
    @length(min: 0, max: 1024) @pattern("sg-[0-9a-zA-Z]*")
    member: String
}

@sensitive
map EnvironmentVariables {
    @pattern("[a-zA-Z]([a-zA-Z0-9_])+")
    key: String

    value: String
}

enum TracingMode {
    Active
    PassThrough
}

structure FileSystemConfig {
    Arn: String
    LocalMountPath: String
}

enum Architecture {
    x86_64
    arm64
}

enum SnapStartApplyOn {
    PublishedVersions
    None
}

enum LogFormat {
    JSON
    Text
}

enum ApplicationLogLevel {
    TRACE
    DEBUG
    INFO
    WARN
    ERROR
    FATAL
}

enum SystemLogLevel {
    DEBUG
    INFO
    WARN
}

enum TenantIsolationMode {
    PER_TENANT
}

structure Layer {
    Arn: String
    CodeSize: Long
}

map AdditionalVersionWeights {
    @length(min: 1, max: 1024) @pattern("[0-9]+")
    key: String

    value: Double
}

structure AliasConfiguration {
    AliasArn: String
    Name: String
    FunctionVersion: String
    Description: String
    RoutingConfig: AliasRoutingConfiguration
    RevisionId: String
}

@error("client") @httpError(400)
structure CodeStorageExceededException {
    Type: String
    message: String
}

@error("client") @httpError(400)
structure InvalidParameterValueException {
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

@error("client") @httpError(412)
structure PreconditionFailedException {
    Type: String
    message: String
}

@error("client") @httpError(400)
structure InvalidRequestContentException {
    Type: String
    message: String
}

// ---- Layers, permissions, concurrency, function URLs, tags ----

@async @bodyLimit("LAMBDA_UPLOAD_BODY_BYTES")
@iam(action: "lambda:PublishLayerVersion", resource: "{LayerName.arn}")
@http(method: "POST", uri: "/2018-10-31/layers/{LayerName}/versions", code: 201)
operation PublishLayerVersion {
    input := {
        @required @length(min: 1, max: 2048) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]{1,140}|[a-zA-Z0-9-_]{1,140})") @httpLabel
        LayerName: String

        @length(min: 0, max: 256)
        Description: String

        @required
        Content: LayerVersionContentInput

        @length(min: 0, max: 15) @itemsOf("LayerRuntime")
        CompatibleRuntimes: RuntimeList

        @length(min: 0, max: 2)
        CompatibleArchitectures: LayerArchitectures

        @length(min: 0, max: 512) @pattern(".*")
        LicenseInfo: String
    }
    output: LayerVersion
    errors: [
        CodeStorageExceededException
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetLayerVersion", resource: "{LayerName.version.arn}")
@http(method: "GET", uri: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}", code: 200)
operation GetLayerVersion {
    input := {
        @required @length(min: 1, max: 2048) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]{1,140}|[a-zA-Z0-9-_]{1,140})") @httpLabel
        LayerName: String

        @required @httpLabel
        VersionNumber: Long
    }
    output: LayerVersion
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetLayerVersion", resource: "{Arn}")
@http(method: "GET", uri: "/2018-10-31/layers?find=LayerVersion", code: 200)
operation GetLayerVersionByArn {
    input := {
        @required @length(min: 1, max: 2048) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)") @httpQuery("Arn")
        Arn: String
    }
    output: LayerVersion
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:ListLayers", resource: "*")
@http(method: "GET", uri: "/2018-10-31/layers", code: 200)
operation ListLayers {
    input := {
        @httpQuery("CompatibleArchitecture")
        CompatibleArchitecture: Architecture

        @httpQuery("CompatibleRuntime")
        CompatibleRuntime: AnyRuntime

        @httpQuery("Marker")
        Marker: String

        @range(min: 1, max: 50) @httpQuery("MaxItems")
        MaxItems: Integer
    }
    output := {
        NextMarker: String
        Layers: LayersList
    }
    errors: [
        InvalidParameterValueException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:ListLayerVersions", resource: "*")
@http(method: "GET", uri: "/2018-10-31/layers/{LayerName}/versions", code: 200)
operation ListLayerVersions {
    input := {
        @httpQuery("CompatibleArchitecture")
        CompatibleArchitecture: Architecture

        @httpQuery("CompatibleRuntime")
        CompatibleRuntime: AnyRuntime

        @required @length(min: 1, max: 2048) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]{1,140}|[a-zA-Z0-9-_]{1,140})") @httpLabel
        LayerName: String

        @httpQuery("Marker")
        Marker: String

        @range(min: 1, max: 50) @httpQuery("MaxItems")
        MaxItems: Integer
    }
    output := {
        NextMarker: String
        LayerVersions: LayerVersionsList
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "LayerName") @freesSpace
@iam(action: "lambda:DeleteLayerVersion", resource: "{LayerName.version.arn}")
@http(method: "DELETE", uri: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}", code: 204)
operation DeleteLayerVersion {
    input := {
        @required @length(min: 1, max: 2048) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]{1,140}|[a-zA-Z0-9-_]{1,140})") @httpLabel
        LayerName: String

        @required @httpLabel
        VersionNumber: Long
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "LayerName")
@iam(action: "lambda:AddLayerVersionPermission", resource: "{LayerName.version.arn}")
@http(method: "POST", uri: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy", code: 201)
operation AddLayerVersionPermission {
    input := {
        @required @length(min: 1, max: 2048) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]{1,140}|[a-zA-Z0-9-_]{1,140})") @httpLabel
        LayerName: String

        @required @httpLabel
        VersionNumber: Long

        @required @length(min: 1, max: 100) @pattern("([a-zA-Z0-9-_]+)")
        StatementId: String

        @required @length(min: 0, max: 22) @pattern("lambda:GetLayerVersion")
        Action: String

        @required @length(min: 0, max: 10000) @pattern("\\d{12}|\\*|arn:(aws[a-zA-Z-]*):iam::\\d{12}:root")
        Principal: String

        @length(min: 0, max: 34) @pattern("o-[a-z0-9]{10,32}")
        OrganizationId: String

        @httpQuery("RevisionId")
        RevisionId: String
    }
    output := {
        Statement: String
        RevisionId: String
    }
    errors: [
        InvalidParameterValueException
        PolicyLengthExceededException
        PreconditionFailedException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "LayerName") @freesSpace
@iam(action: "lambda:RemoveLayerVersionPermission", resource: "{LayerName.version.arn}")
@http(method: "DELETE", uri: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}", code: 204)
operation RemoveLayerVersionPermission {
    input := {
        @required @length(min: 1, max: 2048) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]{1,140}|[a-zA-Z0-9-_]{1,140})") @httpLabel
        LayerName: String

        @required @httpLabel
        VersionNumber: Long

        @required @length(min: 1, max: 100) @pattern("([a-zA-Z0-9-_]+)") @httpLabel
        StatementId: String

        @httpQuery("RevisionId")
        RevisionId: String
    }
    errors: [
        InvalidParameterValueException
        PreconditionFailedException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetLayerVersionPolicy", resource: "{LayerName.version.arn}")
@http(method: "GET", uri: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy", code: 200)
operation GetLayerVersionPolicy {
    input := {
        @required @length(min: 1, max: 2048) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]{1,140}|[a-zA-Z0-9-_]{1,140})") @httpLabel
        LayerName: String

        @required @httpLabel
        VersionNumber: Long
    }
    output := {
        Policy: String
        RevisionId: String
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:AddPermission", resource: "{FunctionName.arn}")
@http(method: "POST", uri: "/2015-03-31/functions/{FunctionName}/policy", code: 201)
operation AddPermission {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @length(min: 1, max: 100) @pattern("([a-zA-Z0-9-_]+)")
        StatementId: String

        @required @length(min: 0, max: 10000) @pattern("(lambda:[*]|lambda:[a-zA-Z]+|[*])")
        Action: String

        @required @length(min: 0, max: 2048) @pattern("[^\\s]+")
        Principal: String

        @length(min: 0, max: 10000) @pattern("arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)")
        SourceArn: String

        FunctionUrlAuthType: FunctionUrlAuthType
        InvokedViaFunctionUrl: Boolean

        @length(min: 0, max: 12) @pattern("\\d{12}")
        SourceAccount: String

        @length(min: 0, max: 256) @pattern("[a-zA-Z0-9._\\-]+")
        EventSourceToken: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String

        RevisionId: String

        @length(min: 12, max: 34) @pattern("o-[a-z0-9]{10,32}")
        PrincipalOrgID: String
    }
    output := {
        Statement: String
    }
    errors: [
        InvalidParameterValueException
        PolicyLengthExceededException
        PreconditionFailedException
        PublicPolicyException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName") @freesSpace
@iam(action: "lambda:RemovePermission", resource: "{FunctionName.arn}")
@http(method: "DELETE", uri: "/2015-03-31/functions/{FunctionName}/policy/{StatementId}", code: 204)
operation RemovePermission {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @length(min: 1, max: 100) @pattern("([a-zA-Z0-9-_.]+)") @httpLabel
        StatementId: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String

        @httpQuery("RevisionId")
        RevisionId: String
    }
    errors: [
        InvalidParameterValueException
        PreconditionFailedException
        PublicPolicyException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetPolicy", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2015-03-31/functions/{FunctionName}/policy", code: 200)
operation GetPolicy {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String
    }
    output := {
        Policy: String
        RevisionId: String
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:PutFunctionConcurrency", resource: "{FunctionName.arn}")
@http(method: "PUT", uri: "/2017-10-31/functions/{FunctionName}/concurrency", code: 200)
operation PutFunctionConcurrency {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @range(min: 0)
        ReservedConcurrentExecutions: Integer
    }
    output := {
        ReservedConcurrentExecutions: Integer
    }
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetFunctionConcurrency", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2019-09-30/functions/{FunctionName}/concurrency", code: 200)
operation GetFunctionConcurrency {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String
    }
    output := {
        ReservedConcurrentExecutions: Integer
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName") @freesSpace
@iam(action: "lambda:DeleteFunctionConcurrency", resource: "{FunctionName.arn}")
@http(method: "DELETE", uri: "/2017-10-31/functions/{FunctionName}/concurrency", code: 204)
operation DeleteFunctionConcurrency {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String
    }
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:PutProvisionedConcurrencyConfig", resource: "{FunctionName.arn}")
@http(method: "PUT", uri: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", code: 202)
operation PutProvisionedConcurrencyConfig {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @length(min: 1, max: 128) @pattern("(|[a-zA-Z0-9$_-]+)") @httpQuery("Qualifier")
        Qualifier: String

        @required @range(min: 1)
        ProvisionedConcurrentExecutions: Integer
    }
    output: ProvisionedConcurrencyConfig
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetProvisionedConcurrencyConfig", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", code: 200)
operation GetProvisionedConcurrencyConfig {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @length(min: 1, max: 128) @pattern("(|[a-zA-Z0-9$_-]+)") @httpQuery("Qualifier")
        Qualifier: String
    }
    output: ProvisionedConcurrencyConfig
    errors: [
        InvalidParameterValueException
        ProvisionedConcurrencyConfigNotFoundException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:ListProvisionedConcurrencyConfigs", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency?List=ALL", code: 200)
operation ListProvisionedConcurrencyConfigs {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @httpQuery("Marker")
        Marker: String

        @range(min: 1, max: 50) @httpQuery("MaxItems")
        MaxItems: Integer
    }
    output := {
        ProvisionedConcurrencyConfigs: ProvisionedConcurrencyConfigList
        NextMarker: String
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName") @freesSpace
@iam(action: "lambda:DeleteProvisionedConcurrencyConfig", resource: "{FunctionName.arn}")
@http(method: "DELETE", uri: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", code: 204)
operation DeleteProvisionedConcurrencyConfig {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @length(min: 1, max: 128) @pattern("(|[a-zA-Z0-9$_-]+)") @httpQuery("Qualifier")
        Qualifier: String
    }
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:CreateFunctionUrlConfig", resource: "{FunctionName.arn}")
@http(method: "POST", uri: "/2021-10-31/functions/{FunctionName}/url", code: 201)
operation CreateFunctionUrlConfig {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!\\d+$)[0-9a-zA-Z-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("((?!^\\d+$)^[0-9a-zA-Z-_]+$)") @httpQuery("Qualifier")
        Qualifier: String

        @required
        AuthType: FunctionUrlAuthType

        Cors: Cors
        InvokeMode: InvokeMode
    }
    output: FunctionUrlConfig
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetFunctionUrlConfig", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2021-10-31/functions/{FunctionName}/url", code: 200)
operation GetFunctionUrlConfig {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!\\d+$)[0-9a-zA-Z-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("((?!^\\d+$)^[0-9a-zA-Z-_]+$)") @httpQuery("Qualifier")
        Qualifier: String
    }
    output: FunctionUrlConfig
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:ListFunctionUrlConfigs", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2021-10-31/functions/{FunctionName}/urls", code: 200)
operation ListFunctionUrlConfigs {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!\\d+$)[0-9a-zA-Z-_]+))?") @httpLabel
        FunctionName: String

        @httpQuery("Marker")
        Marker: String

        @range(min: 1, max: 50) @httpQuery("MaxItems")
        MaxItems: Integer
    }
    output := {
        FunctionUrlConfigs: FunctionUrlConfigList
        NextMarker: String
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:UpdateFunctionUrlConfig", resource: "{FunctionName.arn}")
@http(method: "PUT", uri: "/2021-10-31/functions/{FunctionName}/url", code: 200)
operation UpdateFunctionUrlConfig {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!\\d+$)[0-9a-zA-Z-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("((?!^\\d+$)^[0-9a-zA-Z-_]+$)") @httpQuery("Qualifier")
        Qualifier: String

        AuthType: FunctionUrlAuthType
        Cors: Cors
        InvokeMode: InvokeMode
    }
    output: FunctionUrlConfig
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName") @freesSpace
@iam(action: "lambda:DeleteFunctionUrlConfig", resource: "{FunctionName.arn}")
@http(method: "DELETE", uri: "/2021-10-31/functions/{FunctionName}/url", code: 204)
operation DeleteFunctionUrlConfig {
    input := {
        @required @length(min: 1, max: 140) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!\\d+$)[0-9a-zA-Z-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("((?!^\\d+$)^[0-9a-zA-Z-_]+$)") @httpQuery("Qualifier")
        Qualifier: String
    }
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "Resource")
@iam(action: "lambda:TagResource", resource: "{Resource}")
@http(method: "POST", uri: "/2017-03-31/tags/{Resource}", code: 204)
operation TagResource {
    input := {
        @required @length(min: 1, max: 10000) @pattern("arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)") @httpLabel
        Resource: String

        @required
        Tags: Tags
    }
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "Resource") @freesSpace
@iam(action: "lambda:UntagResource", resource: "{Resource}")
@http(method: "DELETE", uri: "/2017-03-31/tags/{Resource}", code: 204)
operation UntagResource {
    input := {
        @required @length(min: 1, max: 10000) @pattern("arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)") @httpLabel
        Resource: String

        @required @httpQuery("tagKeys")
        TagKeys: TagKeyList
    }
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:ListTags", resource: "{Resource}")
@http(method: "GET", uri: "/2017-03-31/tags/{Resource}", code: 200)
operation ListTags {
    input := {
        @required @length(min: 1, max: 10000) @pattern("arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)") @httpLabel
        Resource: String
    }
    output := {
        Tags: Tags
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

structure LayerVersionContentInput {
    S3Bucket: String
    S3Key: String
    S3ObjectVersion: String
    S3ObjectStorageMode: String
    ZipFile: Blob
}

list LayerArchitectures {
    member: Architecture
}

list RuntimeList {
    member: String
}

// In the order in which AWS tells them: of what is published, and of what is listed.
enum LayerRuntime {
    nodejs20_x = "nodejs20.x"
    python3_14 = "python3.14"
    provided_al2023 = "provided.al2023"
    python3_12 = "python3.12"
    python3_13 = "python3.13"
    nodejs24_x = "nodejs24.x"
    nodejs22_x = "nodejs22.x"
    java25 = "java25"
    python3_10 = "python3.10"
    python3_11 = "python3.11"
    java21 = "java21"
    ruby3_3 = "ruby3.3"
    ruby3_4 = "ruby3.4"
    ruby3_2 = "ruby3.2"
    python3_8 = "python3.8"
    python3_9 = "python3.9"
    java17 = "java17"
    nodejs16_x = "nodejs16.x"
    dotnet10 = "dotnet10"
    dotnet8 = "dotnet8"
    java11 = "java11"
    dotnet6 = "dotnet6"
    nodejs18_x = "nodejs18.x"
    provided_al2 = "provided.al2"
    java8_al2 = "java8.al2"
}

enum AnyRuntime {
    ruby3_5 = "ruby3.5"
    ruby2_6 = "ruby2.6"
    dotnetcore1_0 = "dotnetcore1.0"
    python3_7 = "python3.7"
    nodejs8_10 = "nodejs8.10"
    nasa = "nasa"
    ruby2_7 = "ruby2.7"
    python2_7_greengrass = "python2.7-greengrass"
    dotnetcore2_0 = "dotnetcore2.0"
    python3_8 = "python3.8"
    java21 = "java21"
    dotnet6 = "dotnet6"
    dotnetcore2_1 = "dotnetcore2.1"
    python3_9 = "python3.9"
    java11 = "java11"
    nodejs6_10 = "nodejs6.10"
    provided = "provided"
    dotnetcore3_1 = "dotnetcore3.1"
    dotnet8 = "dotnet8"
    java25 = "java25"
    java17 = "java17"
    nodejs = "nodejs"
    nodejs4_3 = "nodejs4.3"
    java8_al2 = "java8.al2"
    go1_x = "go1.x"
    dotnet10 = "dotnet10"
    nodejs20_x = "nodejs20.x"
    go1_9 = "go1.9"
    byol = "byol"
    nodejs10_x = "nodejs10.x"
    provided_al2023 = "provided.al2023"
    nodejs22_x = "nodejs22.x"
    python3_10 = "python3.10"
    java8 = "java8"
    nodejs12_x = "nodejs12.x"
    python3_11 = "python3.11"
    nodejs24_x = "nodejs24.x"
    nodejs8_x = "nodejs8.x"
    python3_12 = "python3.12"
    nodejs14_x = "nodejs14.x"
    nodejs8_9 = "nodejs8.9"
    nodejs26_x = "nodejs26.x"
    python3_13 = "python3.13"
    python3_14 = "python3.14"
    nodejs16_x = "nodejs16.x"
    python3_15 = "python3.15"
    provided_al2 = "provided.al2"
    nodejs4_3_edge = "nodejs4.3-edge"
    nodejs18_x = "nodejs18.x"
    ruby3_2 = "ruby3.2"
    python3_4 = "python3.4"
    ruby3_3 = "ruby3.3"
    ruby3_4 = "ruby3.4"
    ruby2_5 = "ruby2.5"
    python3_6 = "python3.6"
    python2_7 = "python2.7"
}

structure LayerVersionContentOutput {
    Location: String
    CodeSha256: String
    CodeSize: Long
}

// Lists leave out Content and LayerArn.
structure LayerVersion {
    Content: LayerVersionContentOutput
    LayerArn: String
    LayerVersionArn: String
    Description: String
    CreatedDate: String
    Version: Long
    CompatibleArchitectures: LayerArchitectures
    CompatibleRuntimes: RuntimeList
    LicenseInfo: String
}

list LayerVersionsList {
    member: LayerVersion
}

structure LayersListItem {
    LayerName: String
    LayerArn: String
    LatestMatchingVersion: LayerVersion
}

list LayersList {
    member: LayersListItem
}

enum FunctionUrlAuthType {
    NONE
    AWS_IAM
}

// FunctionArn: in lists.
structure ProvisionedConcurrencyConfig {
    FunctionArn: String
    RequestedProvisionedConcurrentExecutions: Integer
    AvailableProvisionedConcurrentExecutions: Integer
    AllocatedProvisionedConcurrentExecutions: Integer
    Status: String
    StatusReason: String
    LastModified: String
}

list ProvisionedConcurrencyConfigList {
    member: ProvisionedConcurrencyConfig
}

structure Cors {
    AllowCredentials: Boolean

    @length(min: 0, max: 100)
    AllowHeaders: HeadersList

    @length(min: 0, max: 6)
    AllowMethods: AllowMethodsList

    @length(min: 0, max: 100)
    AllowOrigins: AllowOriginsList

    @length(min: 0, max: 100)
    ExposeHeaders: HeadersList

    @range(min: 0, max: 86400)
    MaxAge: Integer
}

// In the order in which AWS tells them.
enum InvokeMode {
    RESPONSE_STREAM
    BUFFERED
}

list HeadersList {
    @length(min: 0, max: 1024) @pattern(".*")
    member: String
}

list AllowMethodsList {
    @length(min: 0, max: 6) @pattern(".*")
    member: String
}

list AllowOriginsList {
    @length(min: 1, max: 253) @pattern(".*")
    member: String
}

// LastModifiedTime: not of one that is made. InvokeMode: when it was asked for, or said.
structure FunctionUrlConfig {
    FunctionUrl: String
    FunctionArn: String
    CreationTime: String
    LastModifiedTime: String
    Cors: Cors
    AuthType: FunctionUrlAuthType
    InvokeMode: InvokeMode
}

list FunctionUrlConfigList {
    member: FunctionUrlConfig
}

list TagKeyList {
    @length(min: 1, max: 128) @pattern("([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)")
    member: String
}

@error("client") @httpError(400)
structure PolicyLengthExceededException {
    Type: String
    message: String
}

@error("client") @httpError(400)
structure PublicPolicyException {
    Type: String
    Message: String
}

@error("client") @httpError(404)
structure ProvisionedConcurrencyConfigNotFoundException {
    Type: String
    message: String
}

// ---- Invoke ----

@async
@iam(action: "lambda:InvokeFunction", resource: "{FunctionName.arn}")
@http(method: "POST", uri: "/2015-03-31/functions/{FunctionName}/invocations", code: 200)
@bodyLimit("LAMBDA_REQUEST_BYTES")
operation Invoke {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
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

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
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
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @httpHeader("X-Amz-Invocation-Type")
        InvocationType: ResponseStreamingInvocationType

        @httpHeader("X-Amz-Log-Type")
        LogType: LogType

        @httpHeader("X-Amz-Client-Context")
        ClientContext: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
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

@error("server") @httpError(502)
structure ResourceNotReadyException {
    Type: String
    message: String
}

// ---- Events: asynchronous invocations ----

// Deprecated by AWS in favour of Invoke with InvocationType Event, which it is the same as.
@async
@iam(action: "lambda:InvokeFunction", resource: "{FunctionName.arn}")
@http(method: "POST", uri: "/2014-11-13/functions/{FunctionName}/invoke-async", code: 202)
@bodyLimit("LAMBDA_EVENT_BYTES")
operation InvokeAsync {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @required @httpPayload
        InvokeArgs: Blob
    }
    output := {
        @httpResponseCode
        Status: Integer
    }
    errors: [
        InvalidRequestContentException
        InvalidRuntimeException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:PutFunctionEventInvokeConfig", resource: "{FunctionName.arn}")
@http(method: "PUT", uri: "/2019-09-25/functions/{FunctionName}/event-invoke-config", code: 200)
operation PutFunctionEventInvokeConfig {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String

        @range(min: 0, max: 2)
        MaximumRetryAttempts: Integer

        @range(min: 60, max: 21600)
        MaximumEventAgeInSeconds: Integer

        DestinationConfig: DestinationConfig
    }
    output: FunctionEventInvokeConfig
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName")
@iam(action: "lambda:UpdateFunctionEventInvokeConfig", resource: "{FunctionName.arn}")
@http(method: "POST", uri: "/2019-09-25/functions/{FunctionName}/event-invoke-config", code: 200)
operation UpdateFunctionEventInvokeConfig {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String

        @range(min: 0, max: 2)
        MaximumRetryAttempts: Integer

        @range(min: 60, max: 21600)
        MaximumEventAgeInSeconds: Integer

        DestinationConfig: DestinationConfig
    }
    output: FunctionEventInvokeConfig
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:GetFunctionEventInvokeConfig", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2019-09-25/functions/{FunctionName}/event-invoke-config", code: 200)
operation GetFunctionEventInvokeConfig {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String
    }
    output: FunctionEventInvokeConfig
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@read
@iam(action: "lambda:ListFunctionEventInvokeConfigs", resource: "{FunctionName.arn}")
@http(method: "GET", uri: "/2019-09-25/functions/{FunctionName}/event-invoke-config/list", code: 200)
operation ListFunctionEventInvokeConfigs {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @httpQuery("Marker")
        Marker: String

        @range(min: 1, max: 50) @httpQuery("MaxItems")
        MaxItems: Integer
    }
    output := {
        FunctionEventInvokeConfigs: FunctionEventInvokeConfigList
        NextMarker: String
    }
    errors: [
        InvalidParameterValueException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

@write(home: "FunctionName") @freesSpace
@iam(action: "lambda:DeleteFunctionEventInvokeConfig", resource: "{FunctionName.arn}")
@http(method: "DELETE", uri: "/2019-09-25/functions/{FunctionName}/event-invoke-config", code: 204)
operation DeleteFunctionEventInvokeConfig {
    input := {
        @required @length(min: 1, max: 256) @pattern("(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?") @httpLabel
        FunctionName: String

        @length(min: 1, max: 128) @pattern("\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+") @httpQuery("Qualifier")
        Qualifier: String
    }
    output := {}
    errors: [
        InvalidParameterValueException
        ResourceConflictException
        ResourceNotFoundException
        ServiceException
        TooManyRequestsException
    ]
}

structure DestinationConfig {
    OnSuccess: OnSuccess
    OnFailure: OnFailure
}

structure OnSuccess {
    @length(min: 0, max: 350) @pattern("$|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)")
    Destination: String
}

structure OnFailure {
    @length(min: 0, max: 350) @pattern("$|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)")
    Destination: String
}

structure FunctionEventInvokeConfig {
    LastModified: Timestamp
    FunctionArn: String
    MaximumRetryAttempts: Integer
    MaximumEventAgeInSeconds: Integer
    DestinationConfig: DestinationConfig
}

list FunctionEventInvokeConfigList {
    member: FunctionEventInvokeConfig
}
