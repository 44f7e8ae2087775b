// AWS IAM, as Brume offers it. Facts only; grammar and traits: tools/apigen.
//
// Paths, descriptions and documents carry no pattern here: those of AWS have alternatives and characters beyond ASCII,
// and are checked by hand (aws/iam/dialect.c). What answers give bears no constraints.
$version: "2"

namespace com.amazonaws.iam

@sdkId("IAM")
@targetPrefix("AWSIdentityManagementV20100508")
@apiVersion("2010-05-08")
@xmlNamespace("https://iam.amazonaws.com/doc/2010-05-08/")
@protocols([awsQuery])
@hooks
service iam {
    // What AWS has and Brume does not have yet: answered 501.
    unsupported: [
        AcceptDelegationRequest
        AcquireRole
        AddClientIDToOpenIDConnectProvider
        AssociateDelegationRequest
        ChangePassword
        CreateAccountAlias
        CreateDelegationRequest
        CreateLoginProfile
        CreateOpenIDConnectProvider
        CreateSAMLProvider
        CreateServiceSpecificCredential
        CreateVirtualMFADevice
        DeactivateMFADevice
        DeleteAccountAlias
        DeleteAccountPasswordPolicy
        DeleteLoginProfile
        DeleteOpenIDConnectProvider
        DeleteSAMLProvider
        DeleteSSHPublicKey
        DeleteServerCertificate
        DeleteServiceSpecificCredential
        DeleteSigningCertificate
        DeleteVirtualMFADevice
        DisableOrganizationsRootCredentialsManagement
        DisableOrganizationsRootSessions
        DisableOutboundWebIdentityFederation
        EnableMFADevice
        EnableOrganizationsRootCredentialsManagement
        EnableOrganizationsRootSessions
        EnableOutboundWebIdentityFederation
        GenerateCredentialReport
        GenerateOrganizationsAccessReport
        GenerateServiceLastAccessedDetails
        GetAccessKeyLastUsed
        GetAccountAuthorizationDetails
        GetAccountPasswordPolicy
        GetAccountProperties
        GetAccountSummary
        GetContextKeysForCustomPolicy
        GetContextKeysForPrincipalPolicy
        GetCredentialReport
        GetDelegationRequest
        GetHumanReadableSummary
        GetLoginProfile
        GetMFADevice
        GetOpenIDConnectProvider
        GetOrganizationsAccessReport
        GetOutboundWebIdentityFederationInfo
        GetRoleTemplateVersion
        GetSAMLProvider
        GetSSHPublicKey
        GetServerCertificate
        GetServiceLastAccessedDetails
        GetServiceLastAccessedDetailsWithEntities
        ListAccountAliases
        ListDelegationRequests
        ListInstanceProfileTags
        ListMFADeviceTags
        ListMFADevices
        ListOpenIDConnectProviderTags
        ListOpenIDConnectProviders
        ListOrganizationsFeatures
        ListPoliciesGrantingServiceAccess
        ListSAMLProviderTags
        ListSAMLProviders
        ListSSHPublicKeys
        ListServerCertificateTags
        ListServerCertificates
        ListServiceSpecificCredentials
        ListSigningCertificates
        ListVirtualMFADevices
        PutAccountProperties
        RejectDelegationRequest
        RemoveClientIDFromOpenIDConnectProvider
        ResetServiceSpecificCredential
        ResyncMFADevice
        SendDelegationToken
        SetSecurityTokenServicePreferences
        SimulateCustomPolicy
        SimulatePrincipalPolicy
        TagInstanceProfile
        TagMFADevice
        TagOpenIDConnectProvider
        TagSAMLProvider
        TagServerCertificate
        UntagInstanceProfile
        UntagMFADevice
        UntagOpenIDConnectProvider
        UntagSAMLProvider
        UntagServerCertificate
        UpdateAccountPasswordPolicy
        UpdateDelegationRequest
        UpdateGroup
        UpdateLoginProfile
        UpdateOpenIDConnectProvider
        UpdateOpenIDConnectProviderThumbprint
        UpdateSAMLProvider
        UpdateSSHPublicKey
        UpdateServerCertificate
        UpdateServiceSpecificCredential
        UpdateSigningCertificate
        UploadSSHPublicKey
        UploadServerCertificate
        UploadSigningCertificate
    ]
}

@write
@iam(action: "iam:CreateRole", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation CreateRole {
    input := {
        @length(min: 1, max: 512)
        Path: String

        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(min: 1, max: 131072)
        AssumeRolePolicyDocument: String

        @length(max: 1000)
        Description: String

        @range(min: 3600, max: 43200)
        MaxSessionDuration: Integer

        @range(min: 3600, max: 7776000)
        MaxSigninSessionDuration: Integer

        @length(min: 20, max: 2048)
        PermissionsBoundary: String

        @length(max: 50)
        Tags: TagList
    }
    output := {
        Role: Role
    }
    errors: [
        ConcurrentModificationException
        EntityAlreadyExistsException
        InvalidInputException
        LimitExceededException
        MalformedPolicyDocumentException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:GetRole", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation GetRole {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String
    }
    output := {
        Role: Role
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@read
@iam(action: "iam:ListRoles", resource: "*")
operation ListRoles {
    input := {
        @length(min: 1, max: 512) @pattern("\\u002F[\\u0021-\\u007F]*")
        PathPrefix: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        Roles: RoleList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [ServiceFailureException]
}

@write
@freesSpace
@iam(action: "iam:DeleteRole", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation DeleteRole {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String
    }
    errors: [
        ConcurrentModificationException
        DeleteConflictException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@write
@iam(action: "iam:UpdateRole", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation UpdateRole {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @length(max: 1000)
        Description: String

        @range(min: 3600, max: 43200)
        MaxSessionDuration: Integer

        @range(min: 3600, max: 7776000)
        MaxSigninSessionDuration: Integer

        ResetMaxSigninSessionDuration: Boolean
    }
    output := {}
    errors: [
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@write
@iam(action: "iam:UpdateRoleDescription", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation UpdateRoleDescription {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(max: 1000)
        Description: String
    }
    output := {
        Role: Role
    }
    errors: [
        NoSuchEntityException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@write
@iam(action: "iam:UpdateAssumeRolePolicy", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation UpdateAssumeRolePolicy {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(min: 1, max: 131072)
        PolicyDocument: String
    }
    errors: [
        LimitExceededException
        MalformedPolicyDocumentException
        NoSuchEntityException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@write
@iam(action: "iam:TagRole", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation TagRole {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(max: 50)
        Tags: TagList
    }
    errors: [
        ConcurrentModificationException
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@freesSpace
@iam(action: "iam:UntagRole", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation UntagRole {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(max: 50)
        TagKeys: TagKeyList
    }
    errors: [
        ConcurrentModificationException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListRoleTags", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation ListRoleTags {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        Tags: TagList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@iam(action: "iam:AttachRolePolicy", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation AttachRolePolicy {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(min: 20, max: 2048)
        PolicyArn: String
    }
    errors: [
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        PolicyNotAttachableException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@write
@freesSpace
@iam(action: "iam:DetachRolePolicy", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation DetachRolePolicy {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(min: 20, max: 2048)
        PolicyArn: String
    }
    errors: [
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@read
@iam(action: "iam:ListAttachedRolePolicies", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation ListAttachedRolePolicies {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @length(min: 1, max: 512)
        PathPrefix: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        AttachedPolicies: AttachedPoliciesList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:PutRolePolicy", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation PutRolePolicy {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        PolicyName: String

        @required @length(min: 1, max: 131072)
        PolicyDocument: String
    }
    errors: [
        LimitExceededException
        MalformedPolicyDocumentException
        NoSuchEntityException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@read
@iam(action: "iam:GetRolePolicy", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation GetRolePolicy {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        PolicyName: String
    }
    output := {
        RoleName: String
        PolicyName: String
        PolicyDocument: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@freesSpace
@iam(action: "iam:DeleteRolePolicy", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation DeleteRolePolicy {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        PolicyName: String
    }
    errors: [
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@read
@iam(action: "iam:ListRolePolicies", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation ListRolePolicies {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        PolicyNames: PolicyNameList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@iam(action: "iam:PutRolePermissionsBoundary", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation PutRolePermissionsBoundary {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @required @length(min: 20, max: 2048)
        PermissionsBoundary: String
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        PolicyNotAttachableException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@write
@freesSpace
@iam(action: "iam:DeleteRolePermissionsBoundary", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation DeleteRolePermissionsBoundary {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String
    }
    errors: [
        NoSuchEntityException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@write
@iam(action: "iam:CreatePolicy", resource: "arn:aws:iam::{account}:policy/{PolicyName}")
operation CreatePolicy {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        PolicyName: String

        @length(min: 1, max: 512)
        Path: String

        @required @length(min: 1, max: 131072)
        PolicyDocument: String

        @length(max: 1000)
        Description: String

        @length(max: 50)
        Tags: TagList
    }
    output := {
        Policy: Policy
    }
    errors: [
        ConcurrentModificationException
        EntityAlreadyExistsException
        InvalidInputException
        LimitExceededException
        MalformedPolicyDocumentException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:GetPolicy", resource: "{PolicyArn}")
operation GetPolicy {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String
    }
    output := {
        Policy: Policy
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListPolicies", resource: "*")
operation ListPolicies {
    input := {
        Scope: PolicyScope
        OnlyAttached: Boolean

        @length(min: 1, max: 512)
        PathPrefix: String

        PolicyUsageFilter: PolicyUsageType

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        Policies: PolicyList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [ServiceFailureException]
}

@write
@freesSpace
@iam(action: "iam:DeletePolicy", resource: "{PolicyArn}")
operation DeletePolicy {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String
    }
    errors: [
        DeleteConflictException
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:CreatePolicyVersion", resource: "{PolicyArn}")
operation CreatePolicyVersion {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String

        @required @length(min: 1, max: 131072)
        PolicyDocument: String

        SetAsDefault: Boolean
    }
    output := {
        PolicyVersion: PolicyVersion
    }
    errors: [
        InvalidInputException
        LimitExceededException
        MalformedPolicyDocumentException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:GetPolicyVersion", resource: "{PolicyArn}")
operation GetPolicyVersion {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String

        @required
        VersionId: String
    }
    output := {
        PolicyVersion: PolicyVersion
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListPolicyVersions", resource: "{PolicyArn}")
operation ListPolicyVersions {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        Versions: PolicyDocumentVersionList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:SetDefaultPolicyVersion", resource: "{PolicyArn}")
operation SetDefaultPolicyVersion {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String

        @required
        VersionId: String
    }
    errors: [
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@freesSpace
@iam(action: "iam:DeletePolicyVersion", resource: "{PolicyArn}")
operation DeletePolicyVersion {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String

        @required
        VersionId: String
    }
    errors: [
        DeleteConflictException
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:TagPolicy", resource: "{PolicyArn}")
operation TagPolicy {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String

        @required @length(max: 50)
        Tags: TagList
    }
    errors: [
        ConcurrentModificationException
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@freesSpace
@iam(action: "iam:UntagPolicy", resource: "{PolicyArn}")
operation UntagPolicy {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String

        @required @length(max: 50)
        TagKeys: TagKeyList
    }
    errors: [
        ConcurrentModificationException
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListPolicyTags", resource: "{PolicyArn}")
operation ListPolicyTags {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        Tags: TagList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListEntitiesForPolicy", resource: "{PolicyArn}")
operation ListEntitiesForPolicy {
    input := {
        @required @length(min: 20, max: 2048)
        PolicyArn: String

        EntityFilter: Entity

        @length(min: 1, max: 512)
        PathPrefix: String

        PolicyUsageFilter: PolicyUsageType

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        PolicyGroups: PolicyGroupList
        PolicyUsers: PolicyUserList
        PolicyRoles: PolicyRoleList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:CreateServiceLinkedRole", resource: "*")
operation CreateServiceLinkedRole {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        AWSServiceName: String

        @length(max: 1000)
        Description: String

        @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        CustomSuffix: String
    }
    output := {
        Role: Role
    }
    errors: [
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@freesSpace
@iam(action: "iam:DeleteServiceLinkedRole", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation DeleteServiceLinkedRole {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String
    }
    output := {
        DeletionTaskId: String
    }
    errors: [
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:GetServiceLinkedRoleDeletionStatus", resource: "*")
operation GetServiceLinkedRoleDeletionStatus {
    input := {
        @required @length(min: 1, max: 1000)
        DeletionTaskId: String
    }
    output := {
        Status: DeletionTaskStatusType
        Reason: DeletionTaskFailureReasonType
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:CreateUser", resource: "arn:aws:iam::{account}:user/{UserName}")
operation CreateUser {
    input := {
        @length(min: 1, max: 512)
        Path: String

        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        UserName: String

        @length(min: 20, max: 2048)
        PermissionsBoundary: String

        @length(max: 50)
        Tags: TagList
    }
    output := {
        User: User
    }
    errors: [
        ConcurrentModificationException
        EntityAlreadyExistsException
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:GetUser", resource: "arn:aws:iam::{account}:user/{UserName}")
operation GetUser {
    input := {
        @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String
    }
    output := {
        User: User
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@read
@iam(action: "iam:ListUsers", resource: "*")
operation ListUsers {
    input := {
        @length(min: 1, max: 512) @pattern("\\u002F[\\u0021-\\u007F]*")
        PathPrefix: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        Users: UserList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [ServiceFailureException]
}

@write
@freesSpace
@iam(action: "iam:DeleteUser", resource: "arn:aws:iam::{account}:user/{UserName}")
operation DeleteUser {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String
    }
    errors: [
        ConcurrentModificationException
        DeleteConflictException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:UpdateUser", resource: "arn:aws:iam::{account}:user/{UserName}")
operation UpdateUser {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @length(min: 1, max: 512)
        NewPath: String

        @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        NewUserName: String
    }
    errors: [
        ConcurrentModificationException
        EntityAlreadyExistsException
        EntityTemporarilyUnmodifiableException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:TagUser", resource: "arn:aws:iam::{account}:user/{UserName}")
operation TagUser {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @required @length(max: 50)
        Tags: TagList
    }
    errors: [
        ConcurrentModificationException
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@freesSpace
@iam(action: "iam:UntagUser", resource: "arn:aws:iam::{account}:user/{UserName}")
operation UntagUser {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @required @length(max: 50)
        TagKeys: TagKeyList
    }
    errors: [
        ConcurrentModificationException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListUserTags", resource: "arn:aws:iam::{account}:user/{UserName}")
operation ListUserTags {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        Tags: TagList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@iam(action: "iam:AttachUserPolicy", resource: "arn:aws:iam::{account}:user/{UserName}")
operation AttachUserPolicy {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        UserName: String

        @required @length(min: 20, max: 2048)
        PolicyArn: String
    }
    errors: [
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        PolicyNotAttachableException
        ServiceFailureException
    ]
}

@write
@freesSpace
@iam(action: "iam:DetachUserPolicy", resource: "arn:aws:iam::{account}:user/{UserName}")
operation DetachUserPolicy {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        UserName: String

        @required @length(min: 20, max: 2048)
        PolicyArn: String
    }
    errors: [
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListAttachedUserPolicies", resource: "arn:aws:iam::{account}:user/{UserName}")
operation ListAttachedUserPolicies {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        UserName: String

        @length(min: 1, max: 512)
        PathPrefix: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        AttachedPolicies: AttachedPoliciesList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:PutUserPolicy", resource: "arn:aws:iam::{account}:user/{UserName}")
operation PutUserPolicy {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        PolicyName: String

        @required @length(min: 1, max: 131072)
        PolicyDocument: String
    }
    errors: [
        LimitExceededException
        MalformedPolicyDocumentException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:GetUserPolicy", resource: "arn:aws:iam::{account}:user/{UserName}")
operation GetUserPolicy {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        PolicyName: String
    }
    output := {
        UserName: String
        PolicyName: String
        PolicyDocument: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@freesSpace
@iam(action: "iam:DeleteUserPolicy", resource: "arn:aws:iam::{account}:user/{UserName}")
operation DeleteUserPolicy {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        PolicyName: String
    }
    errors: [
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListUserPolicies", resource: "arn:aws:iam::{account}:user/{UserName}")
operation ListUserPolicies {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        PolicyNames: PolicyNameList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@iam(action: "iam:PutUserPermissionsBoundary", resource: "arn:aws:iam::{account}:user/{UserName}")
operation PutUserPermissionsBoundary {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        UserName: String

        @required @length(min: 20, max: 2048)
        PermissionsBoundary: String
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        PolicyNotAttachableException
        ServiceFailureException
    ]
}

@write
@freesSpace
@iam(action: "iam:DeleteUserPermissionsBoundary", resource: "arn:aws:iam::{account}:user/{UserName}")
operation DeleteUserPermissionsBoundary {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        UserName: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@iam(action: "iam:CreateAccessKey", resource: "arn:aws:iam::{account}:user/{UserName}")
operation CreateAccessKey {
    input := {
        @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String
    }
    output := {
        AccessKey: AccessKey
    }
    errors: [
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListAccessKeys", resource: "arn:aws:iam::{account}:user/{UserName}")
operation ListAccessKeys {
    input := {
        @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        AccessKeyMetadata: AccessKeyMetadataList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@iam(action: "iam:UpdateAccessKey", resource: "arn:aws:iam::{account}:user/{UserName}")
operation UpdateAccessKey {
    input := {
        @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @required @length(min: 16, max: 128) @pattern("[\\w]+")
        AccessKeyId: String

        @required
        Status: Status
    }
    errors: [
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@freesSpace
@iam(action: "iam:DeleteAccessKey", resource: "arn:aws:iam::{account}:user/{UserName}")
operation DeleteAccessKey {
    input := {
        @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @required @length(min: 16, max: 128) @pattern("[\\w]+")
        AccessKeyId: String
    }
    errors: [
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:CreateGroup", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation CreateGroup {
    input := {
        @length(min: 1, max: 512)
        Path: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String
    }
    output := {
        Group: Group
    }
    errors: [
        EntityAlreadyExistsException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:GetGroup", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation GetGroup {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        Group: Group
        Users: UserList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@read
@iam(action: "iam:ListGroups", resource: "*")
operation ListGroups {
    input := {
        @length(min: 1, max: 512) @pattern("\\u002F[\\u0021-\\u007F]*")
        PathPrefix: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        Groups: GroupList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [ServiceFailureException]
}

@write
@freesSpace
@iam(action: "iam:DeleteGroup", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation DeleteGroup {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String
    }
    errors: [
        DeleteConflictException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:AddUserToGroup", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation AddUserToGroup {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String
    }
    errors: [
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@freesSpace
@iam(action: "iam:RemoveUserFromGroup", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation RemoveUserFromGroup {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String
    }
    errors: [
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListGroupsForUser", resource: "arn:aws:iam::{account}:user/{UserName}")
operation ListGroupsForUser {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        UserName: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        Groups: GroupList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@iam(action: "iam:AttachGroupPolicy", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation AttachGroupPolicy {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String

        @required @length(min: 20, max: 2048)
        PolicyArn: String
    }
    errors: [
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        PolicyNotAttachableException
        ServiceFailureException
    ]
}

@write
@freesSpace
@iam(action: "iam:DetachGroupPolicy", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation DetachGroupPolicy {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String

        @required @length(min: 20, max: 2048)
        PolicyArn: String
    }
    errors: [
        InvalidInputException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListAttachedGroupPolicies", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation ListAttachedGroupPolicies {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String

        @length(min: 1, max: 512)
        PathPrefix: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        AttachedPolicies: AttachedPoliciesList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [
        InvalidInputException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:PutGroupPolicy", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation PutGroupPolicy {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        PolicyName: String

        @required @length(min: 1, max: 131072)
        PolicyDocument: String
    }
    errors: [
        LimitExceededException
        MalformedPolicyDocumentException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:GetGroupPolicy", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation GetGroupPolicy {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        PolicyName: String
    }
    output := {
        GroupName: String
        PolicyName: String
        PolicyDocument: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@freesSpace
@iam(action: "iam:DeleteGroupPolicy", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation DeleteGroupPolicy {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String

        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        PolicyName: String
    }
    errors: [
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:ListGroupPolicies", resource: "arn:aws:iam::{account}:group/{GroupName}")
operation ListGroupPolicies {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        GroupName: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        PolicyNames: PolicyNameList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@write
@iam(action: "iam:CreateInstanceProfile", resource: "arn:aws:iam::{account}:instance-profile/{InstanceProfileName}")
operation CreateInstanceProfile {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        InstanceProfileName: String

        @length(min: 1, max: 512)
        Path: String

        @length(max: 50)
        Tags: TagList
    }
    output := {
        InstanceProfile: InstanceProfile
    }
    errors: [
        ConcurrentModificationException
        EntityAlreadyExistsException
        InvalidInputException
        LimitExceededException
        ServiceFailureException
    ]
}

@read
@iam(action: "iam:GetInstanceProfile", resource: "arn:aws:iam::{account}:instance-profile/{InstanceProfileName}")
operation GetInstanceProfile {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        InstanceProfileName: String
    }
    output := {
        InstanceProfile: InstanceProfile
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

@read
@iam(action: "iam:ListInstanceProfiles", resource: "*")
operation ListInstanceProfiles {
    input := {
        @length(min: 1, max: 512) @pattern("\\u002F[\\u0021-\\u007F]*")
        PathPrefix: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        InstanceProfiles: InstanceProfileList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [ServiceFailureException]
}

@write
@freesSpace
@iam(action: "iam:DeleteInstanceProfile", resource: "arn:aws:iam::{account}:instance-profile/{InstanceProfileName}")
operation DeleteInstanceProfile {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        InstanceProfileName: String
    }
    errors: [
        DeleteConflictException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
    ]
}

@write
@iam(action: "iam:AddRoleToInstanceProfile", resource: "arn:aws:iam::{account}:instance-profile/{InstanceProfileName}")
operation AddRoleToInstanceProfile {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        InstanceProfileName: String

        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String
    }
    errors: [
        EntityAlreadyExistsException
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@write
@freesSpace
@iam(action: "iam:RemoveRoleFromInstanceProfile", resource: "arn:aws:iam::{account}:instance-profile/{InstanceProfileName}")
operation RemoveRoleFromInstanceProfile {
    input := {
        @required @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
        InstanceProfileName: String

        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String
    }
    errors: [
        LimitExceededException
        NoSuchEntityException
        ServiceFailureException
        UnmodifiableEntityException
    ]
}

@read
@iam(action: "iam:ListInstanceProfilesForRole", resource: "arn:aws:iam::{account}:role/{RoleName}")
operation ListInstanceProfilesForRole {
    input := {
        @required @length(min: 1, max: 64) @pattern("[\\w+=,.@-]+")
        RoleName: String

        @length(min: 1, max: 320)
        Marker: String

        @range(min: 1, max: 1000)
        MaxItems: Integer
    }
    output := {
        InstanceProfiles: InstanceProfileList
        IsTruncated: Boolean
        Marker: String
    }
    errors: [NoSuchEntityException ServiceFailureException]
}

list TagList {
    member: Tag
}

structure Role {
    Path: String
    RoleName: String
    RoleId: String
    Arn: String
    CreateDate: Timestamp
    AssumeRolePolicyDocument: String
    Description: String
    MaxSessionDuration: Integer
    MaxSigninSessionDuration: Integer
    PermissionsBoundary: AttachedPermissionsBoundary
    Tags: TagList
    RoleLastUsed: RoleLastUsed
    SourceRoleTemplate: SourceRoleTemplate
}

list RoleList {
    member: Role
}

list TagKeyList {
    @length(min: 1, max: 128)
    member: String
}

list AttachedPoliciesList {
    member: AttachedPolicy
}

list PolicyNameList {
    @length(min: 1, max: 128) @pattern("[\\w+=,.@-]+")
    member: String
}

structure Policy {
    PolicyName: String
    PolicyId: String
    Arn: String
    Path: String

    DefaultVersionId: String
    AttachmentCount: Integer
    PermissionsBoundaryUsageCount: Integer
    IsAttachable: Boolean
    Description: String
    CreateDate: Timestamp
    UpdateDate: Timestamp
    Tags: TagList
}

enum PolicyScope {
    All
    AWS
    Local
}

enum PolicyUsageType {
    PermissionsPolicy
    PermissionsBoundary
}

list PolicyList {
    member: Policy
}

structure PolicyVersion {
    Document: String

    VersionId: String
    IsDefaultVersion: Boolean
    CreateDate: Timestamp
}

list PolicyDocumentVersionList {
    member: PolicyVersion
}

enum Entity {
    User
    Role
    Group
    LocalManagedPolicy
    AWSManagedPolicy
}

list PolicyGroupList {
    member: PolicyGroup
}

list PolicyUserList {
    member: PolicyUser
}

list PolicyRoleList {
    member: PolicyRole
}

enum DeletionTaskStatusType {
    SUCCEEDED
    IN_PROGRESS
    FAILED
    NOT_STARTED
}

structure DeletionTaskFailureReasonType {
    Reason: String
    RoleUsageList: RoleUsageList
}

structure User {
    Path: String
    UserName: String
    UserId: String
    Arn: String
    CreateDate: Timestamp
    PasswordLastUsed: Timestamp
    PermissionsBoundary: AttachedPermissionsBoundary
    Tags: TagList
}

list UserList {
    member: User
}

structure AccessKey {
    UserName: String
    AccessKeyId: String
    Status: Status
    SecretAccessKey: String
    CreateDate: Timestamp
}

list AccessKeyMetadataList {
    member: AccessKeyMetadata
}

enum Status {
    Active
    Inactive
    Expired
}

structure Group {
    Path: String
    GroupName: String
    GroupId: String
    Arn: String
    CreateDate: Timestamp
}

list GroupList {
    member: Group
}

structure InstanceProfile {
    Path: String
    InstanceProfileName: String
    InstanceProfileId: String
    Arn: String
    CreateDate: Timestamp
    Roles: RoleList
    Tags: TagList
}

list InstanceProfileList {
    member: InstanceProfile
}

structure Tag {
    @required @length(min: 1, max: 128)
    Key: String

    @required @length(min: 0, max: 256)
    Value: String
}

structure AttachedPermissionsBoundary {
    PermissionsBoundaryType: PermissionsBoundaryAttachmentType
    PermissionsBoundaryArn: String
}

structure RoleLastUsed {
    LastUsedDate: Timestamp
    Region: String
}

structure SourceRoleTemplate {
    TemplateArn: String
    TemplateMinorVersion: Integer
}

structure AttachedPolicy {
    PolicyName: String
    PolicyArn: String
}

structure PolicyGroup {
    GroupName: String
    GroupId: String
}

structure PolicyUser {
    UserName: String
    UserId: String
}

structure PolicyRole {
    RoleName: String
    RoleId: String
}

list RoleUsageList {
    member: RoleUsage
}

structure AccessKeyMetadata {
    UserName: String
    AccessKeyId: String
    Status: Status
    CreateDate: Timestamp
}

enum PermissionsBoundaryAttachmentType {
    PermissionsBoundaryPolicy
}

structure RoleUsage {
    Region: String
    Resources: ArnList
}

list ArnList {
    @length(min: 20, max: 2048)
    member: String
}

@error("client") @httpError(409)
@awsQueryError(code: "ConcurrentModification", httpResponseCode: 409)
structure ConcurrentModificationException {}

@error("client") @httpError(409)
@awsQueryError(code: "EntityAlreadyExists", httpResponseCode: 409)
structure EntityAlreadyExistsException {}

@error("client") @httpError(400)
@awsQueryError(code: "InvalidInput", httpResponseCode: 400)
structure InvalidInputException {}

@error("client") @httpError(409)
@awsQueryError(code: "LimitExceeded", httpResponseCode: 409)
structure LimitExceededException {}

@error("client") @httpError(400)
@awsQueryError(code: "MalformedPolicyDocument", httpResponseCode: 400)
structure MalformedPolicyDocumentException {}

@error("client") @httpError(500)
@awsQueryError(code: "ServiceFailure", httpResponseCode: 500)
structure ServiceFailureException {}

@error("client") @httpError(404)
@awsQueryError(code: "NoSuchEntity", httpResponseCode: 404)
structure NoSuchEntityException {}

@error("client") @httpError(409)
@awsQueryError(code: "DeleteConflict", httpResponseCode: 409)
structure DeleteConflictException {}

@error("client") @httpError(400)
@awsQueryError(code: "UnmodifiableEntity", httpResponseCode: 400)
structure UnmodifiableEntityException {}

@error("client") @httpError(400)
@awsQueryError(code: "PolicyNotAttachable", httpResponseCode: 400)
structure PolicyNotAttachableException {}

@error("client") @httpError(409)
@awsQueryError(code: "EntityTemporarilyUnmodifiable", httpResponseCode: 409)
structure EntityTemporarilyUnmodifiableException {}
