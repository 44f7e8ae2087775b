// A service that never was, for tests of the generator and the protocols: a member of every kind.
$version: "2"

namespace com.example.zoo

@sdkId("Zoo")
@targetPrefix("Zoo_20260101")
@apiVersion("2026-01-01")
@xmlNamespace("https://zoo.test/doc/2026-01-01/")
@protocols([awsJson1_1, awsQuery])
service zoo {
    unsupported: [FeedAnimal, WashAnimal]
}

@pure
@iam(action: "zoo:PutAnimal", resource: "*")
operation PutAnimal {
    input := {
        @required @length(min: 2, max: 4) @pattern("[a-z]+")
        Name: String

        Photo: Blob

        @range(min: 0, max: 8)
        Legs: Integer

        @range(min: -5)
        Stars: Long

        Weight: Double
        Tame: Boolean
        Born: Timestamp
        Papers: Document
        Diet: Diet

        @length(max: 2)
        Names: NameList

        Parents: AnimalList
        Owners: OwnerMap

        @xmlFlattened
        Toys: ToyList

        @xmlFlattened @xmlName("Trick")
        Tricks: ToyList

        Home: Cage

        @length(min: 20)
        @pattern("^[a-z][a-z0-9-]{0,3}x?$")
        Code: String

        @pattern("(?!^[0-9]+$)((arn:(x|yy)*:)?[a-z0-9]{1,3}(-[0-9]{2}){0,2}|\\$LATEST|)")
        Badge: String

        @pattern("[a-z]+(:((?!\\d+$)[0-9a-z]+))?")
        Nickname: String

        @length(max: 3) @itemsOf("Colour")
        Colours: ColourList
    }
    output := {
        Name: String
        Photo: Blob
        Legs: Integer
        Stars: Long
        Weight: Double
        Tame: Boolean
        Born: Timestamp
        Papers: Document
        Names: NameList
        Parents: AnimalList
        Owners: OwnerMap

        @xmlFlattened
        Toys: ToyList

        Home: Cage
    }
}

@pure
@iam(action: "zoo:Close", resource: "*")
operation Close {
    input := {}
}

enum Diet {
    MEAT
    PLANTS = "plants only"
}

list NameList {
    member: ShortName
}

@length(max: 3)
string ShortName

list AnimalList {
    member: Animal
}

structure Animal {
    @required
    Name: ShortName

    Parents: AnimalList
}

map OwnerMap {
    key: ShortName
    value: Animal
}

list ToyList {
    @xmlName("Toy")
    member: String
}

structure Cage {
    @required
    Number: Integer

    @xmlName("Keeper")
    keeper: String
}

list ColourList {
    member: String
}

enum Colour {
    grey
    dark_blue = "dark-blue"
}
