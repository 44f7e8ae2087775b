// AWS STS, as Brume offers it. Facts only; grammar and traits: tools/apigen.
$version: "2"

namespace com.amazonaws.sts

@sdkId("STS")
@targetPrefix("AWSSecurityTokenServiceV20110615")
@apiVersion("2011-06-15")
@xmlNamespace("https://sts.amazonaws.com/doc/2011-06-15/")
@protocols([awsQuery])
@hooks
service sts {
    // What AWS has and Brume does not have yet: answered 501.
    unsupported: [
        AssumeRoleWithSAML
        AssumeRoleWithWebIdentity
        AssumeRoot
        DecodeAuthorizationMessage
        GetDelegatedAccessToken
        GetFederationToken
        GetWebIdentityToken
    ]
}

@pure
@iam(action: "sts:GetCallerIdentity", resource: "*")
operation GetCallerIdentity {
    input := {}
    output := {
        UserId: String
        Account: String
        Arn: String
    }
}

@read
@iam(action: "sts:GetAccessKeyInfo", resource: "*")
operation GetAccessKeyInfo {
    input := {
        @required @length(min: 16, max: 128) @pattern("[\\w]*")
        AccessKeyId: String
    }
    output := {
        Account: String
    }
}

@write
@iam(action: "sts:AssumeRole", resource: "{RoleArn}")
operation AssumeRole {
    input := {
        @required @length(min: 20, max: 2048)
        RoleArn: String

        @required @length(min: 2, max: 64) @pattern("[\\w+=,.@-]*")
        RoleSessionName: String

        PolicyArns: PolicyDescriptorList

        @length(min: 1)
        Policy: String

        @range(min: 900, max: 43200)
        DurationSeconds: Integer

        @length(max: 50)
        Tags: TagList

        @length(max: 50)
        TransitiveTagKeys: TagKeyList

        @length(min: 2, max: 1224)
        ExternalId: String

        @length(min: 9, max: 256)
        SerialNumber: String

        @length(min: 6, max: 6) @pattern("[\\d]*")
        TokenCode: String

        @length(min: 2, max: 256) @pattern("[\\w+=,.@-]*")
        SourceIdentity: String

        @length(min: 1, max: 5)
        ProvidedContexts: ProvidedContextList

        @range(min: 0, max: 4096)
        MinimumSessionTokenSize: Integer
    }
    output := {
        Credentials: Credentials
        AssumedRoleUser: AssumedRoleUser
        PackedPolicySize: Integer
        SourceIdentity: String
    }
    errors: [MalformedPolicyDocumentException PackedPolicyTooLargeException]
}

@write
@iam(action: "sts:GetSessionToken", resource: "*")
operation GetSessionToken {
    input := {
        @range(min: 900, max: 129600)
        DurationSeconds: Integer

        @length(min: 9, max: 256)
        SerialNumber: String

        @length(min: 6, max: 6) @pattern("[\\d]*")
        TokenCode: String

        @range(min: 0, max: 4096)
        MinimumSessionTokenSize: Integer
    }
    output := {
        Credentials: Credentials
    }
}

list PolicyDescriptorList {
    member: PolicyDescriptor
}

list TagList {
    member: Tag
}

list TagKeyList {
    @length(min: 1, max: 128)
    member: String
}

list ProvidedContextList {
    member: ProvidedContext
}

structure Credentials {
    AccessKeyId: String
    SecretAccessKey: String
    SessionToken: String
    Expiration: Timestamp
}

structure AssumedRoleUser {
    AssumedRoleId: String
    Arn: String
}

structure PolicyDescriptor {
    @length(min: 20, max: 2048)
    arn: String
}

structure Tag {
    @required @length(min: 1, max: 128)
    Key: String

    @required @length(min: 0, max: 256)
    Value: String
}

structure ProvidedContext {
    @length(min: 20, max: 2048)
    ProviderArn: String

    @length(min: 4, max: 3072)
    ContextAssertion: String
}

@error("client") @httpError(400)
@awsQueryError(code: "MalformedPolicyDocument", httpResponseCode: 400)
structure MalformedPolicyDocumentException {}

@error("client") @httpError(400)
@awsQueryError(code: "PackedPolicyTooLarge", httpResponseCode: 400)
structure PackedPolicyTooLargeException {}
