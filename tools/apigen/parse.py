"""Reads our subset of the Smithy IDL 2.0 (smithy.io, "Smithy IDL"): one service a file.

    $version: "2"
    namespace com.amazonaws.NAME
    @traits service NAME { unsupported: [@traits Operation …] }
    @traits operation Name { input := { members }  output := { members }  errors: [Name …] }    (or output: Structure)
    @traits structure Name { members }
    list Name { member: Shape }
    map Name { key: Shape  value: Shape }
    enum Name { VALUE …  NAME = "value" }
    @traits string|integer|long|double|boolean|blob|timestamp|document Name
Members: @traits name: Shape; @itemsOf("Enum") at a list of strings judges them as one value; @sensitive at a map keeps what it holds out of refusals. Members of errors are sent with them; one called message or Message holds the text. Shapes without a declaration: String Blob Integer Long Double Boolean Timestamp Document.
"""

import json
import re

from model import (
    SIMPLE,
    SIMPLE_KINDS,
    DeclarationError,
    MemberDeclaration,
    OperationDeclaration,
    ServiceDeclaration,
    ShapeDeclaration,
    Trait,
    UnsupportedDeclaration,
)
from rest import LOCATIONS

TOKEN = re.compile(
    r"""(?P<space>[\s,]+|//[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<number>-?[0-9]+(?:\.[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_.]*)
      | (?P<punctuation>:=|[@$(){}\[\]:=\#])""",
    re.VERBOSE,
)

# Which traits may stand where; another one is a mistake, not a comment.
SERVICE_TRAITS = {"sdkId", "targetPrefix", "apiVersion", "xmlNamespace", "protocols", "awsQueryCompatible", "hooks", "xmlErrorDetail"}
OPERATION_TRAITS = {
    "pure", "read", "write", "async", "freesSpace", "rootOnly", "prepared", "iam", "http", "bodyLimit"}
UNSUPPORTED_TRAITS = {"http"}
CONSTRAINT_TRAITS = {"length", "range", "pattern"}
SHAPE_TRAITS = CONSTRAINT_TRAITS | {"timestampFormat", "sensitive"}
MEMBER_TRAITS = SHAPE_TRAITS - {"sensitive"} | set(LOCATIONS) | {
    "required", "xmlFlattened", "xmlName", "jsonName", "streaming", "itemsOf"}
ERROR_TRAITS = {"error", "httpError", "awsQueryError", "message", "noXmlErrorDetail"}


def check_traits(traits, allowed):
    for name, trait in traits.items():
        if name not in allowed:
            known = ", ".join(sorted(allowed))
            raise DeclarationError(trait.place, f"trait @{name} is not known here (known: {known})")


class Parser:
    def __init__(self, path, text):
        self.path = path
        self.tokens = list(self.tokenize(text))
        self.at = 0

    def tokenize(self, text):
        at, line = 0, 1
        while at < len(text):
            match = TOKEN.match(text, at)
            if match is None:
                raise DeclarationError(f"{self.path}:{line}", f"unexpected character {text[at]!r}")
            if match.lastgroup != "space":
                yield match.lastgroup, match.group(), f"{self.path}:{line}"
            line += match.group().count("\n")
            at = match.end()
        yield "end", "the end of the file", f"{self.path}:{line}"

    # ---- Tokens ----

    @property
    def place(self):
        return self.tokens[self.at][2]

    def peek(self):
        return self.tokens[self.at][1] if self.tokens[self.at][0] != "string" else None

    def fail(self, expected):
        raise DeclarationError(self.place, f"expected {expected}, found {self.tokens[self.at][1]}")

    def take(self, text):
        if self.peek() != text:
            self.fail(text)
        self.at += 1

    def accept(self, text):
        if self.peek() == text and self.tokens[self.at][0] != "end":
            self.at += 1
            return True
        return False

    def take_kind(self, kind, expected):
        if self.tokens[self.at][0] != kind:
            self.fail(expected)
        self.at += 1
        return self.tokens[self.at - 1][1]

    def take_name(self, expected="a name"):
        return self.take_kind("name", expected)

    # ---- Values and traits ----

    def value(self):
        kind, text, _ = self.tokens[self.at]
        if kind == "string":
            self.at += 1
            return json.loads(text)
        if kind == "number":
            self.at += 1
            return float(text) if "." in text else int(text)
        if self.accept("["):
            return self.until("]", self.value)
        if kind == "name":
            self.at += 1
            return {"true": True, "false": False}.get(text, text)
        return self.fail("a value")

    def until(self, end, item):
        items = []
        while not self.accept(end):
            items.append(item())
        return items

    def traits(self):
        traits = {}
        while self.peek() == "@":
            place = self.place
            self.take("@")
            name = self.take_name("a trait's name")
            if name in traits:
                raise DeclarationError(place, f"trait @{name} stands twice")
            traits[name] = Trait(place, self.trait_arguments())
        return traits

    def trait_arguments(self):
        arguments = {}
        if not self.accept("("):
            return arguments
        while not self.accept(")"):
            following = self.tokens[self.at + 1][1]
            if self.tokens[self.at][0] == "name" and following == ":":
                name = self.take_name()
                self.take(":")
                arguments[name] = self.value()
            else:
                arguments[""] = self.value()
        return arguments

    # ---- Declarations ----

    def parse(self):
        self.take("$")
        if self.take_name() != "version":
            self.fail('$version: "2"')
        self.take(":")
        if self.value() != "2":
            raise DeclarationError(self.path, "only Smithy IDL 2 is read")
        self.take("namespace")
        namespace = self.take_name("a namespace")
        service, shapes, operations = None, {}, {}
        while self.tokens[self.at][0] != "end":
            traits = self.traits()
            place = self.place
            keyword = self.take_name("a declaration")
            if keyword == "service":
                if service is not None:
                    raise DeclarationError(place, "a second service")
                check_traits(traits, SERVICE_TRAITS)
                service = self.service(place, traits)
            elif keyword == "operation":
                check_traits(traits, OPERATION_TRAITS)
                operation = self.operation(place, traits)
                self.declare(operations, operation)
            else:
                check_traits(traits, SHAPE_TRAITS | ERROR_TRAITS)
                self.declare(shapes, self.shape(place, keyword, traits))
        if service is None:
            raise DeclarationError(self.path, "no service is declared")
        service.namespace = namespace
        service.shapes = shapes
        for operation in operations.values():
            self.share(operation.output, shapes)
        service.operations = sorted(operations.values(), key=lambda operation: operation.name.encode())
        return service

    @staticmethod
    def share(output, shapes):
        """An output that is a structure of its own name: `output: Shape`."""
        if output.shared is None:
            return
        shape = shapes.get(output.shared)
        if shape is None or shape.kind != "structure" or "error" in shape.traits:
            raise DeclarationError(output.place, f"{output.shared} is not a structure that is declared")
        output.members = shape.members

    def declare(self, table, declaration):
        if declaration.name in table or declaration.name in SIMPLE:
            raise DeclarationError(declaration.place, f"{declaration.name} is declared twice")
        table[declaration.name] = declaration

    def service(self, place, traits):
        name = self.take_name()
        self.take("{")
        self.take("unsupported")
        self.take(":")
        self.take("[")
        unsupported = self.until("]", self.unsupported)
        self.take("}")
        return ServiceDeclaration(place, name, traits, sorted(unsupported, key=lambda row: row.name.encode()))

    def unsupported(self):
        traits = self.traits()
        check_traits(traits, UNSUPPORTED_TRAITS)
        return UnsupportedDeclaration(self.place, self.take_name("an operation"), traits)

    def operation(self, place, traits):
        name = self.take_name()
        parts = {"input": None, "output": None}
        errors = []
        self.take("{")
        while not self.accept("}"):
            part_place = self.place
            part = self.take_name("input, output or errors")
            if part == "output" and parts[part] is None and self.peek() == ":":
                self.take(":")
                shared = self.take_name("a structure")
                parts[part] = ShapeDeclaration(part_place, "structure", name + "Output", {}, [], shared=shared)
            elif part in parts and parts[part] is None:
                self.take(":=")
                members = self.members()
                parts[part] = ShapeDeclaration(part_place, "structure", name + part.capitalize(), {}, members)
            elif part == "errors" and not errors:
                self.take(":")
                self.take("[")
                errors = self.until("]", lambda: (self.place, self.take_name()))
            else:
                raise DeclarationError(part_place, f"{part} is not a part of an operation, or stands twice")
        if parts["input"] is None:
            raise DeclarationError(place, f"operation {name} has no input")
        output = parts["output"] or ShapeDeclaration(place, "structure", name + "Output")
        return OperationDeclaration(place, name, traits, parts["input"], output, parts["output"] is not None, errors)

    def members(self):
        self.take("{")
        members, names = [], set()
        while not self.accept("}"):
            traits = self.traits()
            check_traits(traits, MEMBER_TRAITS)
            place = self.place
            name = self.take_name("a member")
            if name in names:
                raise DeclarationError(place, f"member {name} stands twice")
            names.add(name)
            self.take(":")
            members.append(MemberDeclaration(place, name, self.take_name("a shape"), traits))
        return members

    def shape(self, place, keyword, traits):
        name_place = self.place
        if keyword in SIMPLE_KINDS:
            return ShapeDeclaration(place, keyword, self.take_name(), traits)
        if keyword == "structure":
            return ShapeDeclaration(place, keyword, self.take_name(), traits, self.members())
        if keyword in ("list", "map"):
            wanted = ["member"] if keyword == "list" else ["key", "value"]
            shape = ShapeDeclaration(place, keyword, self.take_name(), traits, self.members())
            if [member.name for member in shape.members] != wanted:
                raise DeclarationError(place, f"a {keyword} has exactly: {', '.join(wanted)}")
            return shape
        if keyword == "enum":
            shape = ShapeDeclaration(place, keyword, self.take_name(), traits)
            self.take("{")
            shape.values = self.until("}", self.enum_value)
            if not shape.values:
                raise DeclarationError(place, "an enum without values")
            return shape
        raise DeclarationError(place, f"{keyword} is not a declaration that apigen knows ({name_place})")

    def enum_value(self):
        name = self.take_name()
        return self.value() if self.accept("=") else name


def parse(path):
    with open(path, encoding="utf-8") as file:
        return Parser(path, file.read()).parse()
