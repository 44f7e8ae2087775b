"""Regular expressions of @pattern as rows of steps (descriptor.h, PatternStep): sets of characters, and groups of
alternatives, with counts.

A value must match as a whole, so that ^ and $ at the edges of an alternative say nothing. (?!…$) is what the rest of a
value must not be. Other assertions are refused, and so are characters beyond ASCII that are named: a set has all
of them (negated, '.', a class of Unicode as \\p{L}) or none."""

import re
from dataclasses import dataclass

UNBOUNDED = 0xFFFFFFFF
DIGITS = frozenset(range(48, 58))
WORD = DIGITS | frozenset(range(65, 91)) | frozenset(range(97, 123)) | {95}
SPACE = frozenset((9, 10, 11, 12, 13, 32))
BEYOND = 128  # every character beyond ASCII
EVERYTHING = frozenset(range(129))
CLASSES = {"d": DIGITS, "w": WORD, "s": SPACE, "D": EVERYTHING - DIGITS, "S": EVERYTHING - SPACE}
UNICODE = {"L": WORD - DIGITS - {95} | {BEYOND}, "N": DIGITS | {BEYOND}, "Z": frozenset((32, BEYOND))}
CONTROLS = {"t": 9, "n": 10, "r": 13, "f": 12}
COUNT = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")


class PatternError(Exception):
    pass


class Reader:
    def __init__(self, pattern):
        self.pattern = pattern
        self.at = 0

    def more(self):
        return self.at < len(self.pattern)

    def take(self):
        if not self.more():
            raise PatternError("the pattern ends too early")
        self.at += 1
        return self.pattern[self.at - 1]

    def escape(self):
        """What stands behind a backslash, as a set."""
        character = self.take()
        if character in CLASSES:
            return CLASSES[character]
        if character in CONTROLS:
            return frozenset((CONTROLS[character],))
        if character == "u":
            code = int(self.pattern[self.at : self.at + 4], 16)
            self.at += 4
            return single(chr(code))
        if character == "p":
            name = self.pattern[self.at : self.at + 3]
            if name[:1] + name[2:] != "{}" or name[1] not in UNICODE:
                raise PatternError(f"\\p{name} is not supported")
            self.at += 3
            return UNICODE[name[1]]
        if character.isalnum():
            raise PatternError(f"\\{character} is not supported")
        return single(character)

    def bracket(self):
        negated = self.pattern[self.at : self.at + 1] == "^"
        self.at += negated
        members = frozenset()
        first = True
        while True:
            character = self.take()
            if character == "]" and not first:
                break
            first = False
            low = self.escape() if character == "\\" else single(character)
            if self.pattern[self.at : self.at + 1] == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                character = self.take()
                high = self.escape() if character == "\\" else single(character)
                low = frozenset(range(min(low), max(high) + 1))
            members |= low
        return EVERYTHING - members if negated else members

    def count(self):
        character = self.pattern[self.at : self.at + 1]
        if character in ("*", "+", "?") and character:
            self.at += 1
            return {"*": (0, UNBOUNDED), "+": (1, UNBOUNDED), "?": (0, 1)}[character]
        match = COUNT.match(self.pattern, self.at)
        if match is None:
            return 1, 1
        self.at = match.end()
        low = int(match.group(1))
        if match.group(2) is None:
            return low, low
        return low, int(match.group(3)) if match.group(3) else UNBOUNDED


def single(character):
    if ord(character) > 127:
        raise PatternError("characters beyond ASCII are not supported")
    return frozenset((ord(character),))


@dataclass
class Set:
    allowed: frozenset
    low: int
    high: int


@dataclass
class Group:
    alternatives: list  # of lists of nodes
    low: int
    high: int


@dataclass
class Not:
    alternatives: list


def parse_alternatives(reader, depth):
    """What stands between parentheses, or the whole pattern: up to the ')' that ends it."""
    alternatives, nodes = [], []
    while True:
        if not reader.more():
            if depth > 0:
                raise PatternError("a group does not end")
            break
        character = reader.take()
        if character == ")":
            if depth == 0:
                raise PatternError("a ) ends nothing")
            break
        if character == "|":
            alternatives.append(nodes)
            nodes = []
        elif character == "^" and all(isinstance(node, Not) for node in nodes):
            continue
        elif character == "$" and reader.pattern[reader.at : reader.at + 1] in ("", "|", ")"):
            continue
        else:
            nodes.append(parse_node(reader, character, depth, not nodes and not alternatives))
    return alternatives + [nodes]


def parse_node(reader, character, depth, first):
    if character == "(":
        return parse_group(reader, depth + 1, first)
    if character == "[":
        allowed = reader.bracket()
    elif character == "\\":
        allowed = reader.escape()
    elif character == ".":
        allowed = EVERYTHING - {10, 13}
    else:
        allowed = single(character)
    low, high = reader.count()
    if BEYOND in allowed and (low > 1 or high not in (1, UNBOUNDED)):
        raise PatternError("characters beyond ASCII cannot be counted")
    return Set(allowed, low, high)


def parse_group(reader, depth, first):
    if reader.pattern.startswith("?!", reader.at):
        whole = reader.pattern.startswith("^", reader.at + 2)
        reader.at += 2
        alternatives = parse_alternatives(reader, depth)
        if not reader.pattern.endswith("$", 0, reader.at - 1) or (whole and not (first and depth <= 2)):
            raise PatternError("an assertion is of all that follows, (?!…$)")
        return Not(alternatives)
    if reader.pattern.startswith("?:", reader.at):
        reader.at += 2
    elif reader.pattern.startswith("?", reader.at):
        raise PatternError("assertions are not supported")
    alternatives = parse_alternatives(reader, depth)
    low, high = reader.count()
    # A group of one set is a set that is counted otherwise.
    if len(alternatives) == 1 and len(alternatives[0]) == 1 and isinstance(alternatives[0][0], Set):
        inner = alternatives[0][0]
        if (low, high) == (1, 1) or (inner.low, inner.high) == (1, 1):
            return Set(inner.allowed, inner.low * low, max(inner.high, high))
    return Group(alternatives, low, high)


def flatten(alternatives):
    """The rows: a group stands before what is in it, and says how many rows that is; an OR between alternatives."""
    rows = []
    for number, nodes in enumerate(alternatives):
        if number > 0:
            rows.append(("PATTERN_OR", frozenset(), 1, 1, 0))
        for node in nodes:
            if isinstance(node, Set):
                rows.append(("PATTERN_SET", node.allowed, node.low, node.high, 0))
                continue
            inner = flatten(node.alternatives)
            if isinstance(node, Not):
                rows.append(("PATTERN_NOT", frozenset(), 1, 1, len(inner)))
            else:
                rows.append(("PATTERN_GROUP", frozenset(), node.low, node.high, len(inner)))
            rows += inner
    return rows


def compile_pattern(pattern):
    """[(kind, set of codes, min, max, rows of the group)]; the whole value must match."""
    if not pattern:
        raise PatternError("an empty pattern")
    rows = flatten(parse_alternatives(Reader(pattern), 0))
    if not rows:
        raise PatternError("an empty pattern")
    return rows


def bitmap(allowed):
    return [sum(1 << (code - 32 * word) for code in allowed if code // 32 == word) for word in range(4)]
