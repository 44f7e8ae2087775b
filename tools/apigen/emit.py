"""Writes the C of a declared API: NAME.h (structs, errors, body prototypes, the service) and NAME.c (the tables)."""

import os
import re

from model import SIMPLE, SIMPLE_KINDS, DeclarationError, snake_case
from names import make_table
from pattern import BEYOND, UNBOUNDED, PatternError, bitmap, compile_pattern
from rest import LOCATIONS, RestEmitter, is_rest, location, wire_name

MODES = {"pure": "OPERATION_PURE", "read": "OPERATION_READ", "write": "OPERATION_WRITE", "async": "OPERATION_ASYNC"}
PROTOCOLS = {
    "awsJson1_0": "PROTOCOL_AWS_JSON_1_0",
    "awsJson1_1": "PROTOCOL_AWS_JSON_1_1",
    "awsQuery": "PROTOCOL_AWS_QUERY",
    "restJson1": "PROTOCOL_REST_JSON_1",
}
TIMESTAMP_FORMATS = {"epoch-seconds": "epoch", "date-time": "iso", "http-date": "http"}


def c_string(text):
    """A C literal of the text; bytes beyond ASCII as octal escapes, so that what follows cannot lengthen them."""
    if text is None:
        return "NULL"
    out = []
    for byte in text.encode():
        if byte in (0x22, 0x5C):
            out.append("\\" + chr(byte))
        elif 32 <= byte < 127:
            out.append(chr(byte))
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def slice_init(text):
    return f"SLICE_INIT({c_string(text)})"


class Emitter:
    def __init__(self, service, source, folder):
        self.service = service
        self.source = source
        self.folder = folder  # that of the header, as includes name it
        self.prefix = snake_case(service.name)
        self.type_prefix = service.name[0].upper() + service.name[1:]
        self.errors = {n: s for n, s in service.shapes.items() if "error" in s.traits}
        self.constraints = {}  # initializer: name
        self.constraint_lines = []
        self.used = {}
        self.collect()
        self.rest = RestEmitter(self)

    # ---- Looking things up ----

    def shape_of(self, member):
        """The declaration of a member's shape; a simple one for the shapes of the prelude."""
        shape = self.service.shapes.get(member.target)
        if shape is None and member.target not in SIMPLE:
            raise DeclarationError(member.place, f"shape {member.target} is not declared")
        if shape is not None and "error" in shape.traits:
            raise DeclarationError(member.place, f"{member.target} is an error, not a shape for members")
        return shape

    def simple(self, member):
        """(C type, ShapeType, has_) of a simple shape; None for lists, maps and structures."""
        shape = self.shape_of(member)
        if shape is None:
            return SIMPLE[member.target]
        if shape.kind == "enum":
            return SIMPLE["String"]
        return SIMPLE[SIMPLE_KINDS[shape.kind]] if shape.kind in SIMPLE_KINDS else None

    def value_type(self, member):
        """The C type of an item of a list or a value of a map."""
        simple = self.simple(member)
        return simple[0] if simple else self.type_prefix + member.target

    def shape_address(self, member):
        simple = self.simple(member)
        name = simple[1].lower() if simple else snake_case(member.target)
        return f"&shape_{name}{self.timestamp_suffix(member, simple)}"

    def timestamp_suffix(self, member, simple):
        """The shape of a timestamp says how it is written."""
        shape = self.shape_of(member)
        trait = member.traits.get("timestampFormat") or (shape.traits.get("timestampFormat") if shape else None)
        if trait is None:
            return ""
        if simple != SIMPLE["Timestamp"]:
            raise DeclarationError(trait.place, "@timestampFormat is for timestamps")
        if "awsQuery" in self.service.traits["protocols"].arguments[""]:
            raise DeclarationError(trait.place, "@timestampFormat is not read by the Query protocol")
        if trait.arguments.get("") not in TIMESTAMP_FORMATS:
            raise DeclarationError(trait.place, f"@timestampFormat is one of {', '.join(TIMESTAMP_FORMATS)}")
        return "_" + TIMESTAMP_FORMATS[trait.arguments[""]]

    def collect(self):
        """Finds the shapes that operations use, in the order of first use; unused ones are mistakes."""
        for operation in self.service.operations:
            for member in operation.input.members + operation.output.members:
                self.use(member)
            if operation.output.shared is not None:
                self.used[operation.output.shared] = self.service.shapes[operation.output.shared]
            for place, name in operation.errors:
                if name not in self.errors:
                    raise DeclarationError(place, f"{name} is not declared as an error")
        for shape in self.errors.values():
            for member in shape.members:
                self.use(member)
        for name, shape in self.service.shapes.items():
            if name not in self.used and name not in self.errors:
                raise DeclarationError(shape.place, f"{name} is declared and not used")
        declared = {operation.name for operation in self.service.operations}
        for row in self.service.unsupported:
            if row.name in declared:
                raise DeclarationError(row.place, f"{row.name} is declared, and listed as unsupported")

    def use(self, member):
        shape = self.shape_of(member)
        if "itemsOf" in member.traits:
            name = member.traits["itemsOf"].arguments.get("")
            self.used[name] = self.service.shapes.get(name)
        if shape is not None and shape.name not in self.used:
            self.used[shape.name] = shape
            for inner in shape.members:
                self.use(inner)

    def compound(self, *kinds):
        return [shape for shape in self.used.values() if shape.kind in kinds]

    # ---- The header ----

    def header(self):
        guard = f"BRUME_API_{self.prefix.upper()}_H"
        yield f"/* {self.prefix}.h: made by tools/apigen from {self.source}; change that. */"
        yield f"#ifndef {guard}"
        yield f"#define {guard}"
        yield ""
        yield '#include "aws/wire/call.h"'
        yield ""
        for shape in self.compound("structure"):
            name = self.type_prefix + shape.name
            yield f"typedef struct {name} {name};"
        for shape in self.compound("map"):
            name = self.type_prefix + shape.name + "Entry"
            yield f"typedef struct {name} {name};"
        yield ""
        for shape in self.compound("list", "map"):
            name = self.type_prefix + shape.name
            item = name + "Entry" if shape.kind == "map" else self.value_type(shape.members[0])
            yield f"typedef struct {name} {{"
            yield f"    {self.struct_tag(shape, item)} *items;"
            yield "    size_t count;"
            yield f"}} {name};"
            yield ""
        for shape in self.compound("structure"):
            yield from self.struct(self.type_prefix + shape.name, shape.members)
        for shape in self.compound("map"):
            name = self.type_prefix + shape.name + "Entry"
            yield f"struct {name} {{"
            yield "    Slice key;"
            yield f"    {self.value_type(shape.members[1])} value;"
            yield "};"
            yield ""
        for operation in self.service.operations:
            for part in (operation.input, operation.output):
                if part.shared is not None:
                    yield f"typedef {self.type_prefix}{part.shared} {part.name};"
                    yield ""
                    continue
                yield f"typedef struct {part.name} {part.name};"
                yield from self.struct(part.name, part.members)
        for name, shape in self.errors.items():
            if shape.members:
                yield f"typedef struct {self.type_prefix}{name} {self.type_prefix}{name};"
                yield from self.struct(self.type_prefix + name, shape.members)
            yield f"extern const ApiError {self.error_name(name)};"
        yield ""
        yield "/* The bodies, written by hand. */"
        for operation in self.service.operations:
            name = f"{self.prefix}_{snake_case(operation.name)}"
            arguments = f"Call *call, Txn *txn, const {operation.name}Input *input, {operation.name}Output *output"
            yield f"Error {name}({arguments});"
            if "prepared" in operation.traits:
                prepare = f"{self.prefix}_prepare_{snake_case(operation.name)}"
                yield f"void {prepare}(Call *call, const {operation.name}Input *input);"
        yield ""
        if self.has_hooks():
            yield "/* Written by hand too. */"
            yield f"extern const ServiceHooks {self.prefix}_hooks;"
            yield ""
        yield f"extern const Service {self.prefix}_service;"
        yield ""
        yield "#endif"

    def has_hooks(self):
        return "hooks" in self.service.traits

    def struct_tag(self, shape, item):
        """Lists may refer to lists that come later: by their tag."""
        inner = self.shape_of(shape.members[-1])
        return f"struct {item}" if shape.kind == "list" and inner and inner.kind in ("list", "map") else item

    def struct(self, name, members):
        yield f"struct {name} {{"
        for member in members:
            field = snake_case(member.name)
            simple = self.simple(member)
            shape = self.shape_of(member)
            if simple is None:
                pointer = "*" if shape.kind == "structure" else ""
                yield f"    {self.type_prefix}{member.target} {pointer}{field};"
            else:
                yield f"    {simple[0]} {field};"
                if simple[2]:
                    yield f"    bool has_{field};"
        if not members:
            yield "    char nothing; /* it has no members */"
        yield "};"
        yield ""

    def error_name(self, name):
        return f"{self.prefix}_error_{snake_case(name)}"

    # ---- The tables ----

    def tables(self):
        body = []
        for shape in self.compound("list", "map", "structure"):
            body += self.shape_table(snake_case(shape.name), self.type_prefix + shape.name, shape)
        for operation in self.service.operations:
            body += self.shape_table(snake_case(operation.input.name), operation.input.name, operation.input)
            body += self.shape_table(snake_case(operation.output.name), operation.output.name, operation.output)
        for name, shape in self.errors.items():
            if shape.members:
                body += self.shape_table(snake_case(name), self.type_prefix + name, shape)
        yield f"/* {self.prefix}.c: made by tools/apigen from {self.source}; change that. */"
        yield f'#include "{self.folder}/{self.prefix}.h"'
        yield ""
        for shape in self.compound("list", "map", "structure"):
            yield f"static const Shape shape_{snake_case(shape.name)};"
        yield ""
        yield from self.constraint_lines
        yield from body
        yield from self.error_rows()
        yield from self.operation_rows()
        yield from self.rest.route_rows(slice_init, snake_case)
        yield from self.service_row()

    def shape_table(self, name, type_name, shape):
        if shape.kind == "structure":
            yield from self.structure_table(name, type_name, shape)
            return
        value = shape.members[-1]
        yield f"static const Shape shape_{name} = {{"
        yield f"    .type = SHAPE_{shape.kind.upper()},"
        yield f"    .name = {slice_init(shape.name)},"
        yield f"    .size = sizeof({type_name}),"
        yield f"    .item = {self.shape_address(value)},"
        yield f"    .item_constraint = {self.constraint(value, {})},"
        if shape.kind == "map":
            if self.simple(shape.members[0]) != SIMPLE["String"]:
                raise DeclarationError(shape.members[0].place, "keys of maps are strings")
            yield f"    .key_constraint = {self.constraint(shape.members[0], {})},"
            yield f"    .is_sensitive = {self.boolean('sensitive' in shape.traits)},"
            yield f"    .entry_size = sizeof({type_name}Entry),"
            yield f"    .item_offset = offsetof({type_name}Entry, value),"
            yield f"    .key_query_name = {slice_init(self.query_name(shape.members[0], 'key'))},"
            yield f"    .item_query_name = {slice_init(self.query_name(value, 'value'))},"
        else:
            yield f"    .entry_size = sizeof({self.value_type(value)}),"
            yield f"    .item_query_name = {slice_init(self.query_name(value, 'member'))},"
        yield "};"
        yield ""

    def structure_table(self, name, type_name, shape):
        if len(shape.members) > 254:
            raise DeclarationError(shape.place, "more than 254 members")
        if shape.members:
            yield f"static const Member members_{name}[] = {{"
            for member in shape.members:
                yield from self.member_row(type_name, member)
            yield "};"
            yield from self.name_slots(f"names_{name}", [self.json_name(member) for member in shape.members])
            for member in shape.members:
                if [self.json_name(other) for other in shape.members].count(self.json_name(member)) > 1:
                    raise DeclarationError(member.place, f"two members have the JSON name {self.json_name(member)}")
            query_names = [self.query_name(member, member.name) for member in shape.members]
            for member, query_name in zip(shape.members, query_names):
                if query_names.count(query_name) > 1:
                    raise DeclarationError(member.place, f"two members have the Query name {query_name}")
            yield from self.name_slots(f"query_names_{name}", query_names)
        yield f"static const Shape shape_{name} = {{"
        yield "    .type = SHAPE_STRUCTURE,"
        yield f"    .name = {slice_init(shape.name)},"
        yield f"    .size = sizeof({type_name}),"
        if shape.members:
            yield f"    .members = members_{name},"
            yield f"    .member_count = {len(shape.members)},"
            for table, names in (("names", [self.json_name(m) for m in shape.members]), ("query_names", query_names)):
                _, mask, seed = make_table(names)
                yield f"    .{table} = {{{table}_{name}, {mask}, {seed:#x}}},"
        yield "};"
        yield ""

    def name_slots(self, table, names):
        slots, _, _ = make_table(names)
        yield f"static const uint8_t {table}[] = {{{', '.join(map(str, slots))}}};"

    def member_row(self, type_name, member):
        field = snake_case(member.name)
        simple = self.simple(member)
        shape = self.shape_of(member)
        flattened = "xmlFlattened" in member.traits
        if flattened and (shape is None or shape.kind not in ("list", "map")):
            raise DeclarationError(member.traits["xmlFlattened"].place, "@xmlFlattened is for lists and maps")
        has = f"offsetof({type_name}, has_{field})" if simple and simple[2] else "0"
        yield "    {"
        yield f"        .name = {slice_init(self.json_name(member))},"
        yield f"        .query_name = {slice_init(self.query_name(member, member.name))},"
        yield f"        .shape = {self.shape_address(member)},"
        yield f"        .constraint = {self.constraint(member, member.traits)},"
        yield f"        .offset = offsetof({type_name}, {field}),"
        yield f"        .has_offset = {has},"
        yield f"        .required = {self.boolean('required' in member.traits)},"
        yield f"        .flattened = {self.boolean(flattened)},"
        if location(member) is not None:
            yield f"        .binding = {LOCATIONS[location(member)]},"
            if wire_name(member) is not None:
                yield f"        .binding_name = {slice_init(wire_name(member))},"
        yield "    },"

    @staticmethod
    def boolean(value):
        return "true" if value else "false"

    @staticmethod
    def json_name(member):
        return member.traits["jsonName"].arguments[""] if "jsonName" in member.traits else member.name

    @staticmethod
    def query_name(member, default):
        return member.traits["xmlName"].arguments[""] if "xmlName" in member.traits else default

    # ---- Constraints ----

    def constraint(self, member, traits):
        """The address of the constraint that the member's and its shape's traits make together."""
        shape = self.shape_of(member)
        merged = {**(shape.traits if shape else {}), **member.traits, **traits}
        fields, steps, values = {}, None, None
        kind = shape.kind if shape else SIMPLE_KINDS and member.target.lower()
        for trait, allowed in (("length", ("string", "enum", "blob", "list", "map")), ("range", ("integer", "long"))):
            if trait in merged:
                if kind not in allowed:
                    raise DeclarationError(merged[trait].place, f"@{trait} does not fit a {kind}")
                low = merged[trait].arguments.get("min")
                high = merged[trait].arguments.get("max")
                if low is None and high is None or (low is not None and high is not None and low > high):
                    raise DeclarationError(merged[trait].place, f"@{trait} needs min, max or both, in order")
                fields[f"{trait}_min"] = low
                fields[f"{trait}_max"] = high
        if "pattern" in merged:
            trait = merged["pattern"]
            try:
                steps = compile_pattern(trait.arguments[""])
            except PatternError as error:
                raise DeclarationError(trait.place, f"@pattern: {error}") from None
        if shape is not None and shape.kind == "enum":
            values = shape.values
        if "itemsOf" in merged:
            values = self.values_of_items(merged["itemsOf"], shape)
        if not fields and steps is None and values is None:
            return "NULL"
        text = merged["pattern"].arguments[""] if steps else None
        return self.constraint_table(fields, text, steps, values)

    def values_of_items(self, trait, shape):
        """The enum that all strings of the list are of: they are judged as one value, as AWS does here and there."""
        enum = self.service.shapes.get(trait.arguments.get(""))
        if enum is None or enum.kind != "enum" or shape is None or shape.kind != "list":
            raise DeclarationError(trait.place, '@itemsOf("Enum") stands at a list of strings')
        return enum.values

    def constraint_table(self, fields, pattern, steps, values):
        key = repr((sorted(fields.items()), pattern, values))
        if key in self.constraints:
            return "&" + self.constraints[key]
        name = f"constraint_{len(self.constraints) + 1}"
        self.constraints[key] = name
        lines = self.constraint_lines
        if steps is not None:
            lines.append(f"static const PatternStep {name}_steps[] = {{")
            for kind, allowed, low, high, span in steps:
                words = ", ".join(f"{word:#010x}" for word in bitmap(allowed))
                most = "UINT32_MAX" if high == UNBOUNDED else high
                beyond = "true" if BEYOND in allowed else "false"
                lines.append(f"    {{{{{words}}}, {low}, {most}, {kind}, {span}, {beyond}}},")
            lines.append("};")
        if values is not None:
            lines.append(f"static const char *const {name}_values[] = {{")
            lines += [f"    {c_string(value)}," for value in values] + ["    NULL,", "};"]
        defaults = {"length_min": "0", "length_max": "UINT64_MAX", "range_min": "INT64_MIN", "range_max": "INT64_MAX"}
        lines.append(f"static const Constraint {name} = {{")
        for field, default in defaults.items():
            value = fields.get(field)
            lines.append(f"    .{field} = {default if value is None else value},")
        if steps is not None:
            lines.append(f"    .pattern = {c_string(pattern)},")
            lines.append(f"    .pattern_steps = {name}_steps,")
            lines.append(f"    .pattern_step_count = {len(steps)},")
        if values is not None:
            lines.append(f"    .enum_values = {name}_values,")
        lines += ["};", ""]
        return "&" + name

    # ---- Errors, operations, the service ----

    def error_rows(self):
        for name, shape in self.errors.items():
            fault = shape.traits["error"].arguments.get("")
            if fault not in ("client", "server"):
                raise DeclarationError(shape.place, '@error is "client" or "server"')
            status = 400 if fault == "client" else 500
            if "httpError" in shape.traits:
                status = shape.traits["httpError"].arguments[""]
            query = shape.traits["awsQueryError"].arguments if "awsQueryError" in shape.traits else {}
            message = shape.traits["message"].arguments if "message" in shape.traits else {}
            yield f"const ApiError {self.error_name(name)} = {{"
            yield f"    .name = {slice_init(name)},"
            yield f"    .json_type = {slice_init(self.service.namespace + '#' + name)},"
            yield f"    .query_code = {slice_init(query.get('code', name))},"
            yield f"    .status = {status},"
            yield f"    .query_status = {query.get('httpResponseCode', status)},"
            yield f"    .sender = {self.boolean(fault == 'client')},"
            yield f"    .message = {c_string(message.get(''))},"
            yield f"    .query_message = {c_string(message.get('query'))},"
            yield f"    .no_xml_detail = {self.boolean('noXmlErrorDetail' in shape.traits)},"
            if shape.members:
                yield f"    .shape = &shape_{snake_case(name)},"
            yield "};"
            yield ""

    def operation_rows(self):
        for operation in self.service.operations:
            name = snake_case(operation.name)
            yield f"static Error run_{name}(Call *call, Txn *txn, const void *input, void *output)"
            yield "{"
            yield f"    return {self.prefix}_{name}(call, txn, input, output);"
            yield "}"
            yield ""
            if "prepared" in operation.traits:
                yield f"static void prepare_{name}(Call *call, const void *input)"
                yield "{"
                yield f"    {self.prefix}_prepare_{name}(call, input);"
                yield "}"
                yield ""
        yield f"static const Operation operations[] = {{"
        for operation in self.service.operations:
            yield from self.operation_row(operation)
        yield "};"
        yield ""

    def operation_row(self, operation):
        name = snake_case(operation.name)
        modes = [mode for mode in MODES if mode in operation.traits]
        if len(modes) != 1:
            raise DeclarationError(operation.place, f"{operation.name} is one of @pure, @read, @write and @async")
        if "iam" not in operation.traits:
            raise DeclarationError(operation.place, f"{operation.name} has no @iam")
        iam = operation.traits["iam"].arguments
        for argument in ("action", "resource"):
            if argument not in iam:
                raise DeclarationError(operation.traits["iam"].place, f"@iam needs {argument}")
        yield "    {"
        yield f"        .name = {slice_init(operation.name)},"
        yield f"        .mode = {MODES[modes[0]]},"
        yield f"        .frees_space = {self.boolean('freesSpace' in operation.traits)},"
        yield f"        .root_only = {self.boolean('rootOnly' in operation.traits)},"
        yield f"        .input = &shape_{snake_case(operation.input.name)},"
        yield f"        .output = &shape_{snake_case(operation.output.name)},"
        yield f"        .has_output = {self.boolean(operation.has_output)},"
        yield f"        .home = {self.home(operation, modes[0])},"
        yield f"        .prepare = {'prepare_' + name if 'prepared' in operation.traits else 'NULL'},"
        yield f"        .body = run_{name},"
        yield f"        .iam_action = {c_string(iam['action'])},"
        yield f"        .iam_resource = {c_string(iam['resource'])},"
        yield f"        .status = {self.rest.status(operation)},"
        yield f"        .body_limit = {self.body_limit(operation)},"
        for part in ("input", "output"):
            shape = getattr(operation, part)
            payload = self.rest.member_address(shape, self.rest.payload(shape), snake_case(shape.name))
            yield f"        .{part}_payload = {payload},"
        has_document = self.rest.has_body(operation.output, operation.has_output)
        yield f"        .output_document = {self.boolean(has_document)},"
        yield "    },"

    @staticmethod
    def body_limit(operation):
        if "bodyLimit" not in operation.traits:
            return "LIMIT_WIRE_BODY_BYTES"
        trait = operation.traits["bodyLimit"]
        if "http" not in operation.traits:
            raise DeclarationError(trait.place, "@bodyLimit is for operations that are known by their head: with @http")
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", trait.arguments.get("", "")):
            raise DeclarationError(trait.place, '@bodyLimit names a row of the limits: @bodyLimit("WIRE_BODY_BYTES")')
        return "LIMIT_" + trait.arguments[""]

    def home(self, operation, mode):
        home = operation.traits[mode].arguments.get("home")
        if home is None:
            return "NULL"
        for number, member in enumerate(operation.input.members):
            if member.name == home and self.simple(member) == SIMPLE["String"]:
                return f"&members_{snake_case(operation.input.name)}[{number}]"
        raise DeclarationError(operation.traits[mode].place, f"home {home} is not a string member of the input")

    def service_row(self):
        service = self.service
        values = {name: trait.arguments.get("") for name, trait in service.traits.items()}
        if service.unsupported:
            yield "static const Slice unsupported[] = {"
            yield from (f"    {slice_init(row.name)}," for row in service.unsupported)
            yield "};"
            yield ""
        yield f"const Service {self.prefix}_service = {{"
        yield f"    .name = {slice_init(service.name)},"
        yield f"    .sdk_id = {slice_init(values['sdkId'])},"
        if "targetPrefix" in values:
            yield f"    .target_prefix = {slice_init(values['targetPrefix'])},"
        yield f"    .json_namespace = {slice_init(service.namespace)},"
        yield f"    .version = {slice_init(values['apiVersion'])},"
        if "xmlNamespace" in values:
            yield f"    .xml_namespace = {slice_init(values['xmlNamespace'])},"
        yield f"    .protocols = {' | '.join(PROTOCOLS[protocol] for protocol in values['protocols'])},"
        yield f"    .query_compatible = {self.boolean('awsQueryCompatible' in service.traits)},"
        yield f"    .xml_error_detail = {self.boolean('xmlErrorDetail' in service.traits)},"
        yield "    .operations = operations,"
        yield f"    .operation_count = {len(service.operations)},"
        yield f"    .unsupported = {'unsupported' if service.unsupported else 'NULL'},"
        yield f"    .unsupported_count = {len(service.unsupported)},"
        if self.rest.routes:
            yield "    .routes = routes,"
            yield f"    .route_count = {len(self.rest.routes)},"
        yield f"    .hooks = {'&' + self.prefix + '_hooks' if self.has_hooks() else 'NULL'},"
        yield "};"


def check_service(service):
    needed = ["sdkId", "apiVersion", "protocols"]
    needed += [] if is_rest(service) else ["targetPrefix", "xmlNamespace"]
    for trait in needed:
        if trait not in service.traits:
            raise DeclarationError(service.place, f"service {service.name} has no @{trait}")
    protocols = service.traits["protocols"].arguments.get("", [])
    for protocol in protocols:
        if protocol not in PROTOCOLS:
            raise DeclarationError(service.traits["protocols"].place, f"{protocol} is not a known protocol")
    if is_rest(service) and len(protocols) > 1:
        raise DeclarationError(service.traits["protocols"].place, "restJson1 stands alone")


def write(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def emit(service, source, directory):
    if not re.fullmatch(r"[a-z][a-z0-9]*", service.name):
        raise DeclarationError(service.place, "a service's name is its signing name: lower-case letters and digits")
    check_service(service)
    emitter = Emitter(service, source, os.path.basename(os.path.normpath(directory)))
    write(f"{directory}/{emitter.prefix}.h", emitter.header())
    write(f"{directory}/{emitter.prefix}.c", emitter.tables())
