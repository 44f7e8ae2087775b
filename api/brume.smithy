// Brume's own operations: what AWS has not, and handlers need. Facts only; grammar and traits: tools/apigen.
$version: "2"

namespace brume

@sdkId("Brume")
@targetPrefix("Brume")
@apiVersion("2026-01-01")
@xmlNamespace("urn:brume")
@protocols([awsJson1_1])
service brume {
    unsupported: [
    ]
}

// ---- Circuit breakers ----

@write(home: "Name")
@iam(action: "brume:EnterCircuitBreaker", resource: "arn:aws:brume:{region}:{account}:breaker/{Name}")
operation EnterCircuitBreaker {
    input := {
        @required
        Name: BreakerName
        @range(min: 1, max: 1000000)
        FailureThreshold: Integer
        @range(min: 1, max: 31536000000)
        RecoveryMilliseconds: Long
    }
    output := {
        Allowed: Boolean
        Breaker: BreakerState
    }
    errors: [
        ReservedNameException
    ]
}

@write(home: "Name")
@iam(action: "brume:RecordCircuitBreaker", resource: "arn:aws:brume:{region}:{account}:breaker/{Name}")
operation RecordCircuitBreaker {
    input := {
        @required
        Name: BreakerName
        @required
        Success: Boolean
        @range(min: 1, max: 1000000)
        FailureThreshold: Integer
        @range(min: 1, max: 31536000000)
        RecoveryMilliseconds: Long
    }
    output := {
        Breaker: BreakerState
    }
    errors: [
        ReservedNameException
    ]
}

@read
@iam(action: "brume:DescribeCircuitBreaker", resource: "arn:aws:brume:{region}:{account}:breaker/{Name}")
operation DescribeCircuitBreaker {
    input := {
        @required
        Name: BreakerName
    }
    output := {
        Breaker: BreakerState
    }
}

@read
@iam(action: "brume:ListCircuitBreakers", resource: "*")
operation ListCircuitBreakers {
    input := {
        @range(min: 1, max: 100)
        MaxResults: Integer
        NextToken: BreakerName
    }
    output := {
        Breakers: BreakerStateList
        NextToken: String
    }
}

@write(home: "Name")
@iam(action: "brume:ResetCircuitBreaker", resource: "arn:aws:brume:{region}:{account}:breaker/{Name}")
operation ResetCircuitBreaker {
    input := {
        @required
        Name: BreakerName
    }
    output := {}
}

@length(min: 1, max: 256) @pattern("[\\w./:@+=,-]+")
string BreakerName

// Times are those of the platform clock, in milliseconds since 1970.
structure BreakerState {
    Name: String
    State: String
    Failures: Long
    FailureThreshold: Long
    RecoveryMilliseconds: Long
    OpenedAt: Long
    RetryAt: Long
}

list BreakerStateList {
    member: BreakerState
}

@error("client") @httpError(400)
@message("Names that begin with \"mapping/\" are those of event source mappings.")
structure ReservedNameException {}
