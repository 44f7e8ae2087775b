"""The HTTP bindings of a REST service (smithy.io, "HTTP bindings"): checks them, and writes its routes.

A URI is literal segments, labels {Name}, at its end a greedy label {Name+}, and behind '?' what the query must have. A
slash at the end means nothing. Routes are written in the order in which they are tried: literals before labels, more
demands on the query before fewer, values before any value, so that the first that matches is the most specific."""

import re
from dataclasses import dataclass

from model import SIMPLE, DeclarationError

LOCATIONS = {
    "httpLabel": "BINDING_LABEL",
    "httpQuery": "BINDING_QUERY",
    "httpQueryParams": "BINDING_QUERY_PARAMS",
    "httpHeader": "BINDING_HEADER",
    "httpPrefixHeaders": "BINDING_PREFIX_HEADERS",
    "httpPayload": "BINDING_PAYLOAD",
    "httpResponseCode": "BINDING_RESPONSE_CODE",
}
INPUT_LOCATIONS = set(LOCATIONS) - {"httpResponseCode"}
OUTPUT_LOCATIONS = {"httpHeader", "httpPrefixHeaders", "httpPayload", "httpResponseCode"}
ERROR_LOCATIONS = {"httpHeader"}
NAMED = {"httpQuery", "httpHeader", "httpPrefixHeaders"}

LITERAL, LABEL, GREEDY = range(3)
KINDS = ("SEGMENT_LITERAL", "SEGMENT_LABEL", "SEGMENT_GREEDY")


@dataclass
class Route:
    place: str
    name: str
    method: str
    segments: list  # (kind, text)
    query: list  # (name, value)
    operation: object  # its declaration; None: unsupported

    def key(self):
        path = [(kind, text if kind == LITERAL else "") for kind, text in self.segments]
        return (path, -len(self.query), [(name, not value, value) for name, value in self.query], self.method)


def is_rest(service):
    return "restJson1" in service.traits["protocols"].arguments.get("", []) if "protocols" in service.traits else False


def location(member):
    """The trait that binds the member to a place of its own; None: it stands in the body."""
    found = [name for name in LOCATIONS if name in member.traits]
    if len(found) > 1:
        raise DeclarationError(member.place, f"{member.name} is bound twice: @{found[0]} and @{found[1]}")
    return found[0] if found else None


def wire_name(member):
    """What the member's place is called; header names are compared in lower case."""
    where = location(member)
    if where not in NAMED:
        return None
    name = member.traits[where].arguments.get("")
    if not isinstance(name, str) or not name:
        raise DeclarationError(member.place, f'@{where} needs a name: @{where}("name")')
    return name if where == "httpQuery" else name.lower()


def parse_route(place, name, trait, operation):
    arguments = trait.arguments
    for argument in ("method", "uri"):
        if not isinstance(arguments.get(argument), str):
            raise DeclarationError(trait.place, f"@http needs {argument}")
    uri = arguments["uri"]
    if not uri.startswith("/"):
        raise DeclarationError(trait.place, "the uri of @http begins with a slash")
    path, _, query = uri.partition("?")
    segments = []
    for text in path.strip("/").split("/") if path.strip("/") else []:
        label = re.fullmatch(r"\{([A-Za-z0-9_.-]+)(\+?)\}", text)
        if label is None and (not text or re.search(r"[{}%]", text)):
            raise DeclarationError(trait.place, f"{text!r} is no segment of a uri")
        segments.append((LITERAL, text) if label is None else (GREEDY if label[2] else LABEL, label[1]))
    if GREEDY in [kind for kind, _ in segments[:-1]]:
        raise DeclarationError(trait.place, "a greedy label is the last segment")
    demands = [(pair.partition("=")[0], pair.partition("=")[2]) for pair in query.split("&") if pair]
    return Route(place, name, arguments["method"], segments, demands, operation)


class RestEmitter:
    """Beside the Emitter of the service, whose tables it refers to."""

    def __init__(self, emitter):
        self.emitter = emitter
        self.service = emitter.service
        self.is_rest = is_rest(self.service)
        self.routes = []
        self.check_nested()
        for operation in self.service.operations:
            self.check_operation(operation)
        for unsupported in self.service.unsupported:
            self.add_route(unsupported.place, unsupported.name, unsupported.traits, None)
        for shape in emitter.errors.values():
            self.check_members(shape, ERROR_LOCATIONS, "an error")
        self.sort_routes()

    # ---- Checks ----

    def check_nested(self):
        for shape in self.emitter.used.values():
            if shape.kind == "structure":
                self.check_members(shape, set(), "a nested structure")

    def check_members(self, shape, allowed, what):
        for member in shape.members:
            where = location(member)
            if where is None:
                continue
            if not self.is_rest:
                raise DeclarationError(member.place, f"@{where} is for services of restJson1")
            if where not in allowed:
                raise DeclarationError(member.place, f"@{where} does not fit a member of {what}")
            self.check_target(member, where)

    def check_target(self, member, where):
        shape = self.emitter.shape_of(member)
        kind = shape.kind if shape else member.target.lower()
        kind = "string" if kind == "enum" else kind
        text = ("string", "integer", "long", "double", "boolean", "timestamp")
        if where in ("httpQuery", "httpHeader"):
            fits = kind in text or kind == "list" and self.item_kind(shape.members[0]) in text
        elif where == "httpQueryParams":
            value = shape.members[-1] if kind == "map" else None
            inner = self.emitter.shape_of(value) if value else None
            fits = value is not None and (
                self.item_kind(value) == "string"
                or inner is not None and inner.kind == "list" and self.item_kind(inner.members[0]) == "string")
        elif where == "httpPrefixHeaders":
            fits = kind == "map" and self.item_kind(shape.members[-1]) == "string"
        elif where == "httpPayload":
            fits = kind in ("string", "blob", "structure", "document")
        elif where == "httpResponseCode":
            fits = kind == "integer"
        else:
            fits = kind in text
        if not fits:
            raise DeclarationError(member.place, f"@{where} does not fit a {kind}")

    def item_kind(self, member):
        simple = self.emitter.simple(member)
        return simple[1].lower() if simple else None

    def check_operation(self, operation):
        self.check_members(operation.input, INPUT_LOCATIONS, "an input")
        self.check_members(operation.output, OUTPUT_LOCATIONS, "an output")
        if self.is_rest:
            self.check_payload(operation.input)
            self.check_payload(operation.output)
        for member in operation.input.members:
            if "streaming" in member.traits:
                raise DeclarationError(member.place, "an input is not @streaming: bodies are read whole")
        for member in operation.output.members:
            if "streaming" in member.traits and ("async" not in operation.traits or location(member) != "httpPayload"):
                raise DeclarationError(member.place, "@streaming is for the @httpPayload of an @async operation")
        route = self.add_route(operation.place, operation.name, operation.traits, operation)
        if route is not None:
            self.check_labels(operation, route)

    def check_payload(self, shape):
        payload = self.payload(shape)
        for member in shape.members:
            where = location(member)
            if payload is not None and member is not payload and where in (None, "httpPayload"):
                raise DeclarationError(member.place, f"{member.name} has no place beside the payload {payload.name}")

    def check_labels(self, operation, route):
        labels = {text for kind, text in route.segments if kind != LITERAL}
        for member in operation.input.members:
            if location(member) != "httpLabel":
                continue
            if member.name not in labels:
                raise DeclarationError(member.place, f"@httpLabel {member.name} is not in the uri")
            if "required" not in member.traits:
                raise DeclarationError(member.place, f"@httpLabel {member.name} is @required")
            labels.discard(member.name)
        for label in sorted(labels):
            raise DeclarationError(operation.place, f"the uri's label {label} is no @httpLabel member of the input")

    def add_route(self, place, name, traits, operation):
        if "http" not in traits:
            if self.is_rest:
                raise DeclarationError(place, f"{name} has no @http, which restJson1 asks for")
            return None
        if not self.is_rest:
            raise DeclarationError(place, "@http is for services of restJson1")
        self.routes.append(parse_route(place, name, traits["http"], operation))
        return self.routes[-1]

    def sort_routes(self):
        self.routes.sort(key=Route.key)
        for first, second in zip(self.routes, self.routes[1:]):
            if first.key() == second.key():
                raise DeclarationError(second.place, f"{second.name} and {first.name} have the same method and uri")

    # ---- What the tables refer to ----

    @staticmethod
    def payload(shape):
        return next((member for member in shape.members if location(member) == "httpPayload"), None)

    def member_address(self, shape, member, table):
        return "NULL" if member is None else f"&members_{table}[{shape.members.index(member)}]"

    @staticmethod
    def has_body(shape, declared):
        """Whether an answer has a document: also an output that was declared to have no members."""
        return declared and (not shape.members or any(location(member) is None for member in shape.members))

    def status(self, operation):
        return operation.traits["http"].arguments.get("code", 200) if self.is_rest else 200

    # ---- The routes ----

    def route_rows(self, slice_init, snake_case):
        if not self.routes:
            return
        for number, route in enumerate(self.routes):
            if route.segments:
                yield f"static const RestSegment segments_{number}[] = {{"
                for kind, text in route.segments:
                    label = "NULL"
                    if kind != LITERAL and route.operation is not None:
                        shape = route.operation.input
                        member = next(member for member in shape.members if member.name == text)
                        label = self.member_address(shape, member, snake_case(shape.name))
                    yield f"    {{{KINDS[kind]}, {slice_init(text)}, {label}}},"
                yield "};"
            if route.query:
                yield f"static const RestDemand demands_{number}[] = {{"
                yield from (f"    {{{slice_init(name)}, {slice_init(value)}}}," for name, value in route.query)
                yield "};"
        yield ""
        yield "static const RestRoute routes[] = {"
        for number, route in enumerate(self.routes):
            operation = "NULL"
            if route.operation is not None:
                operation = f"&operations[{self.service.operations.index(route.operation)}]"
            segments = f"segments_{number}" if route.segments else "NULL"
            demands = f"demands_{number}" if route.query else "NULL"
            yield f"    {{{slice_init(route.method)}, {segments}, {len(route.segments)}, {demands}, {len(route.query)},"
            yield f"     {operation}, {slice_init(route.name)}}},"
        yield "};"
        yield ""
