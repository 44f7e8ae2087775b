// A REST service that never was, for tests of HTTP bindings and of @async operations: a member of every kind, everywhere.
$version: "2"

namespace com.example.aviary

@sdkId("Aviary")
@apiVersion("2026-01-01")
@protocols([restJson1])
@hooks
service aviary {
    unsupported: [
        @http(method: "DELETE", uri: "/2026-01-01/birds/{Name}") DeleteBird
        @http(method: "GET", uri: "/2026-01-01/birds/{Name}?view=full") DescribeBird
        @http(method: "GET", uri: "/2026-01-01/birds/{Name}?view") ViewBird
    ]
}

@pure
@iam(action: "aviary:PutBird", resource: "*")
@http(method: "PUT", uri: "/2026-01-01/birds/{Name}/{Ring}/{Caged}/{Seen}/", code: 201)
operation PutBird {
    input := {
        @httpLabel @required @length(min: 2, max: 20)
        Name: String

        @httpLabel @required
        Ring: Integer

        @httpLabel @required
        Caged: Boolean

        @httpLabel @required
        Seen: Timestamp

        @httpQuery("text")
        Text: String

        @httpQuery("eggs") @range(min: 0, max: 9)
        Eggs: Long

        @httpQuery("weight")
        Weight: Double

        @httpQuery("tame")
        Tame: Boolean

        @httpQuery("born") @timestampFormat("epoch-seconds")
        Born: Timestamp

        @httpQuery("diet")
        Diet: Diet

        @httpQuery("food")
        Food: TextList

        @httpQuery("ages")
        Ages: IntegerList

        @httpQueryParams
        All: TextMap

        @httpHeader("X-Wings")
        Wings: Integer

        @httpHeader("X-Colours")
        Colours: TextList

        @httpHeader("X-Flights")
        Flights: TimestampList

        @httpHeader("X-Flag")
        Flag: Boolean

        @httpHeader("X-Hatched")
        Hatched: Timestamp

        @httpPrefixHeaders("X-Note-")
        Notes: TextMap

        @jsonName("song_title")
        Song: String

        @timestampFormat("date-time")
        Ringed: Timestamp

        Sold: HttpTimestamp
        Found: Timestamp
        Chicks: ChickList
        Photo: Blob
    }
    output := {
        @httpHeader("X-Wings")
        Wings: Integer

        @httpHeader("X-Colours")
        Colours: TextList

        @httpHeader("X-Flights")
        Flights: TimestampList

        @httpHeader("X-Hatched")
        Hatched: Timestamp

        @httpHeader("X-Sung") @timestampFormat("date-time")
        Sung: Timestamp

        @httpPrefixHeaders("X-Note-")
        Notes: TextMap

        @httpResponseCode
        Code: Integer

        @jsonName("song_title")
        Song: String

        @timestampFormat("date-time")
        Ringed: Timestamp

        Sold: HttpTimestamp
        Found: Timestamp
        Chicks: ChickList
    }
    errors: [
        Flown
    ]
}

@pure
@iam(action: "aviary:GetBest", resource: "*")
@http(method: "GET", uri: "/2026-01-01/birds/best", code: 204)
operation GetBest {
    input := {}
}

@pure
@iam(action: "aviary:GetBird", resource: "*")
@http(method: "GET", uri: "/2026-01-01/birds/{Name}")
operation GetBird {
    input := {
        @httpLabel @required
        Name: String

        @httpQueryParams
        All: TextListMap
    }
    output := {}
}

@pure
@iam(action: "aviary:GetFile", resource: "*")
@http(method: "GET", uri: "/2026-01-01/files/{Path+}")
operation GetFile {
    input := {
        @httpLabel @required
        Path: String
    }
    output := {
        @httpHeader("Content-Type")
        Type: String

        @httpPayload
        Content: Blob
    }
}

// Its limit is a small number, whatever the row is about.
@pure
@iam(action: "aviary:PutSong", resource: "*")
@http(method: "POST", uri: "/2026-01-01/songs")
@bodyLimit("SQS_QUEUES_LISTED")
operation PutSong {
    input := {
        @httpPayload
        Song: Blob
    }
    output := {
        @httpPayload
        Words: String
    }
}

@pure
@iam(action: "aviary:PutWords", resource: "*")
@http(method: "POST", uri: "/2026-01-01/words")
operation PutWords {
    input := {
        @httpPayload
        Words: String
    }
    output := {
        @httpPayload
        Chick: Chick
    }
}

@pure
@iam(action: "aviary:PutNest", resource: "*")
@http(method: "POST", uri: "/2026-01-01/nests")
operation PutNest {
    input := {
        @httpPayload @required
        Chick: Chick
    }
    output := {
        @httpPayload
        Papers: Document
    }
}

@pure
@iam(action: "aviary:PutPapers", resource: "*")
@http(method: "POST", uri: "/2026-01-01/papers")
operation PutPapers {
    input := {
        @httpPayload
        Papers: Document
    }
}

@async
@iam(action: "aviary:Listen", resource: "*")
@http(method: "POST", uri: "/2026-01-01/listen/{How}")
operation Listen {
    input := {
        @httpLabel @required
        How: String

        Words: String
    }
    output := {
        Words: String
    }
    errors: [
        Flown
        Tired
    ]
}

@async
@iam(action: "aviary:Sing", resource: "*")
@http(method: "POST", uri: "/2026-01-01/sing/{How}")
operation Sing {
    input := {
        @httpLabel @required
        How: String

        @httpQuery("pieces")
        Pieces: Integer
    }
    output := {
        @httpHeader("X-Key")
        Key: String

        @httpPayload @streaming
        Song: Blob
    }
    errors: [
        Flown
    ]
}

enum Diet {
    SEEDS
    FISH = "fresh fish"
}

list TextList {
    member: String
}

list IntegerList {
    member: Integer
}

list TimestampList {
    member: Timestamp
}

list ChickList {
    member: Chick
}

map TextMap {
    key: String
    value: String
}

map TextListMap {
    key: String
    value: TextList
}

structure Chick {
    @jsonName("chick_name") @required
    Name: String

    @timestampFormat("date-time")
    Hatched: Timestamp
}

@timestampFormat("http-date")
timestamp HttpTimestamp

@error("client") @httpError(404)
structure Flown {
    Type: String
    Message: String

    @httpHeader("Retry-After")
    retryAfter: String

    Where: Chick
}

@error("server") @httpError(503)
structure Tired {}
