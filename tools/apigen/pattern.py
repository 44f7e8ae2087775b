"""Regular expressions of @pattern as rows of steps (descriptor.h, PatternStep): sets of ASCII characters with counts.

Groups, alternatives and characters beyond ASCII are refused: they need a real engine, which comes with the first
declaration that needs one."""

import re

UNBOUNDED = 0xFFFFFFFF
DIGITS = frozenset(range(48, 58))
WORD = DIGITS | frozenset(range(65, 91)) | frozenset(range(97, 123)) | {95}
SPACE = frozenset((9, 10, 11, 12, 13, 32))
EVERYTHING = frozenset(range(128))
CLASSES = {"d": DIGITS, "w": WORD, "s": SPACE, "D": EVERYTHING - DIGITS, "S": EVERYTHING - SPACE}
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


def compile_pattern(pattern):
    """[(set of codes, min, max)]; the whole value must match."""
    reader = Reader(pattern[1:] if pattern.startswith("^") else pattern)
    steps = []
    while reader.more():
        character = reader.take()
        if character == "$" and not reader.more():
            break
        if character in "()|":
            raise PatternError("groups and alternatives are not supported")
        if character == "[":
            allowed = reader.bracket()
        elif character == "\\":
            allowed = reader.escape()
        elif character == ".":
            allowed = EVERYTHING - {10, 13}
        else:
            allowed = single(character)
        steps.append((allowed, *reader.count()))
    if not steps:
        raise PatternError("an empty pattern")
    return steps


def bitmap(allowed):
    return [sum(1 << (code - 32 * word) for code in allowed if code // 32 == word) for word in range(4)]
