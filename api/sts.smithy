// AWS STS, as Brume offers it. Facts only; grammar and traits: tools/apigen.
$version: "2"

namespace com.amazonaws.sts

@sdkId("STS")
@targetPrefix("AWSSecurityTokenServiceV20110615")
@apiVersion("2011-06-15")
@xmlNamespace("https://sts.amazonaws.com/doc/2011-06-15/")
@protocols([awsQuery])
service sts {
    // What AWS has and Brume does not have yet: answered 501.
    unsupported: [
        AssumeRole
        AssumeRoleWithSAML
        AssumeRoleWithWebIdentity
        AssumeRoot
        DecodeAuthorizationMessage
        GetDelegatedAccessToken
        GetFederationToken
        GetSessionToken
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
