"""The declaration of an API as read from api/NAME.smithy: what the parser fills and the writer walks."""

import re
from dataclasses import dataclass, field


class DeclarationError(Exception):
    """A malformed declaration, with its place."""

    def __init__(self, place, message):
        super().__init__(f"{place}: {message}")


@dataclass
class Trait:
    place: str
    arguments: dict  # by name; a single unnamed argument stands under ""


@dataclass
class MemberDeclaration:
    place: str
    name: str
    target: str
    traits: dict


@dataclass
class ShapeDeclaration:
    place: str
    kind: str  # structure, list, map, string, enum, integer, long, double, boolean, blob, timestamp, document
    name: str
    traits: dict = field(default_factory=dict)
    members: list = field(default_factory=list)  # structures; lists: [member]; maps: [key, value]
    values: list = field(default_factory=list)  # enums
    shared: str = None  # outputs: the structure that they are, when it has a name of its own


@dataclass
class OperationDeclaration:
    place: str
    name: str
    traits: dict
    input: ShapeDeclaration
    output: ShapeDeclaration
    has_output: bool
    errors: list  # (place, name)


@dataclass
class UnsupportedDeclaration:
    place: str
    name: str
    traits: dict


@dataclass
class ServiceDeclaration:
    place: str
    name: str
    traits: dict
    unsupported: list  # of UnsupportedDeclaration, sorted
    namespace: str = ""
    shapes: dict = field(default_factory=dict)
    operations: list = field(default_factory=list)


# Simple shapes: C type, ShapeType, whether a has_ flag tells their presence.
SIMPLE = {
    "String": ("Slice", "STRING", False),
    "Blob": ("Slice", "BLOB", False),
    "Integer": ("int32_t", "INTEGER", True),
    "Long": ("int64_t", "LONG", True),
    "Double": ("double", "DOUBLE", True),
    "Boolean": ("bool", "BOOLEAN", True),
    "Timestamp": ("int64_t", "TIMESTAMP", True),
    "Document": ("Slice", "DOCUMENT", False),
}
SIMPLE_KINDS = {name.lower(): name for name in SIMPLE}

C_KEYWORDS = set(
    "auto bool break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while".split()
)


def snake_case(name):
    """MD5OfMessageBody: md5_of_message_body; QueueOwnerAWSAccountId: queue_owner_aws_account_id."""
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = name.lower()
    return name + "_" if name in C_KEYWORDS else name
