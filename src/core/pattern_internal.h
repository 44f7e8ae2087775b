/* pattern_internal.h: what the files of event patterns share.
 *
 * pattern_token.c reads a pattern's text, pattern_matcher.c the values and match expressions in it, pattern_parse.c makes
 * branches of tests of them (a pattern matches when all tests of one branch do), pattern_value.c knows numbers, addresses and letters, pattern_index.c orders what is looked for at one
 * path, and pattern_match.c reads an event. All of it lives in the arena that pattern_compile was given. */
#ifndef BRUME_CORE_PATTERN_INTERNAL_H
#define BRUME_CORE_PATTERN_INTERNAL_H

#include "base/json.h"
#include "core/pattern.h"

enum {
    PATTERN_DEPTH_MAX = JSON_DEPTH_MAX, /* no event is deeper */
    PATTERN_BRANCHES_MAX = 1000,        /* what the $or of a pattern multiply to */
    PATTERN_FIELDS_MAX = 8192,          /* tests of all branches of a pattern */
};

/* ---- Text ---- */

typedef enum TokenType {
    TOKEN_END,
    TOKEN_OBJECT_START,
    TOKEN_OBJECT_END,
    TOKEN_ARRAY_START,
    TOKEN_ARRAY_END,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_LITERAL, /* true, false, null */
} TokenType;

/* An array or object that is open. */
typedef struct PatternScope {
    const char *start; /* its bracket */
    bool is_array;
    bool has_entries;
} PatternScope;

/* A pattern's text, read a token at a time. The errors' words and places are those of the parser that EventBridge reads
 * patterns with, and users see them: behind a name it has looked at the value already (to its first byte, or all of it when
 * it is a number or a literal), and of a string only the first quote has been read until its text is asked for. */
typedef struct PatternText {
    Slice source;
    const char *at;
    const char *end;
    Arena *arena;
    TokenType type;
    Slice text;      /* of a name, a number or a literal; of a string once it has been read */
    bool unread;     /* the current token is a string of which only the first quote has been read */
    TokenType ahead; /* of the value behind the current name */
    Slice ahead_text;
    size_t depth;
    PatternScope scopes[PATTERN_DEPTH_MAX];
    Slice problem;
} PatternText;

/* `source` must be UTF-8. */
void pattern_text_start(PatternText *text, Slice source, Arena *arena);
/* Reads the next token into `type`; TOKEN_END behind the last. Each of these: OK, or PATTERN_INVALID with `problem`. */
Error pattern_text_next(PatternText *text);
/* The same, and fails with `problem` when it is another one than `wanted`. */
Error pattern_text_expect(PatternText *text, TokenType wanted, const char *problem);
/* The text of the current token, whatever it is; reads a string to its end. */
Error pattern_text_value(PatternText *text, Slice *value);
/* Fails with a message that ends with where the text has been read to. */
__attribute__((format(printf, 2, 3))) Error pattern_text_fail(PatternText *text, const char *format, ...);
/* The same without the place. */
__attribute__((format(printf, 2, 3))) Error pattern_text_refuse(PatternText *text, const char *format, ...);
/* A failure within a list of anything-but: its message has the place twice. */
Error pattern_text_repeat_place(PatternText *text);

/* ---- Values ---- */

enum { NUMBER_SCALE = 1000000 }; /* numbers are compared with 6 decimals */
static const int64_t NUMBER_MAX = 5000000000 * (int64_t)NUMBER_SCALE;

typedef enum NumberFault {
    NUMBER_FINE,
    NUMBER_TOO_PRECISE,  /* more than 6 decimals */
    NUMBER_OUT_OF_RANGE, /* beyond 5e9 */
    NUMBER_OVERFLOW,     /* far beyond it */
} NumberFault;

/* A JSON number as millionths. */
NumberFault pattern_number(Slice text, int64_t *value);
/* Why it cannot be one that is compared, in EventBridge's words. */
Slice pattern_number_problem(Arena *arena, Slice text, NumberFault fault);

typedef struct Address {
    size_t size; /* 4 or 16; 0: none */
    unsigned char bytes[16];
} Address;

typedef struct AddressRange {
    Address first;
    Address last; /* included */
} AddressRange;

/* Whether the text has the form of an address; whether it is one is pattern_address's to say. */
bool pattern_address_form(Slice text);
bool pattern_address(Slice text, Address *address);
bool pattern_address_within(const Address *address, const AddressRange *range);
/* Reads "10.0.0.0/24"; `problem`, absent when it is one, says why not. */
AddressRange pattern_cidr(Arena *arena, Slice text, Slice *problem);

/* The bytes with letters in lower case, as many bytes as they were; the same slice when none has to be changed. */
Slice pattern_fold(Arena *arena, Slice text);

/* What lies between the stars of a wildcard, escapes undone. */
typedef struct Wildcard {
    Slice *pieces;
    size_t count; /* stars and one */
} Wildcard;

/* `problem`, absent when it is one, says why not. */
Wildcard pattern_wildcard(Arena *arena, Slice text, Slice *problem);
bool pattern_wildcard_matches(const Wildcard *wildcard, Slice value);

/* ---- Tests ---- */

typedef enum MatcherKind {
    MATCH_STRING,
    MATCH_LITERAL, /* true, false, null, and numbers that can only be compared as text */
    MATCH_NUMBER,
    MATCH_PREFIX,
    MATCH_SUFFIX,
    MATCH_EXISTS,
    MATCH_SCANNED, /* those above are looked up, those below are tried one after the other */
    MATCH_PREFIX_FOLDED,
    MATCH_SUFFIX_FOLDED,
    MATCH_FOLDED,
    MATCH_WILDCARD,
    MATCH_RANGE,
    MATCH_ADDRESS,
    MATCH_BUT_STRINGS,
    MATCH_BUT_NUMBERS,
    MATCH_BUT_PREFIXES,
    MATCH_BUT_SUFFIXES,
    MATCH_BUT_FOLDED,
    MATCH_BUT_WILDCARDS,
    MATCH_ABSENT, /* becomes a test of its own */
} MatcherKind;

typedef struct Matcher {
    struct Matcher *next;
    MatcherKind kind;
    Slice value; /* folded, if the kind says so */
    int64_t number;
    /* MATCH_RANGE, both included: numbers are whole millionths. */
    int64_t low;
    int64_t high;
    AddressRange addresses;
    size_t count; /* of what an anything-but names */
    Slice *values;
    int64_t *numbers;
    Wildcard *wildcards; /* one of MATCH_WILDCARD */
} Matcher;

/* Reads one element of a field's list, whose first token is current, to its end. */
Error pattern_read_matcher(PatternText *text, Matcher *matcher);

typedef struct PathNode PathNode;

/* The values of one field of a pattern: any of them. */
typedef struct Test {
    struct Test *next; /* of the same path */
    PathNode *path;
    const Matcher *matchers;
    bool is_absent; /* holds when nothing is at the path */
    /* Its fields, one for each branch that has it. */
    uint32_t first;
    uint32_t count;
} Test;

/* An entry of a table of values that are looked for. */
typedef struct TestEntry {
    Slice value;
    int64_t number;
    const Test *test;
    uint32_t parent; /* prefixes, suffixes: the place of the longest that is one of this one, plus one; 0: none */
} TestEntry;

typedef struct TestTable {
    TestEntry *entries;
    size_t count;
} TestTable;

typedef struct TestScan {
    const Matcher *matcher;
    const Test *test;
} TestScan;

/* What is looked for at one path, by how it is found. */
typedef struct TestIndex {
    TestTable strings;
    TestTable literals;
    TestTable numbers;
    TestTable prefixes;
    TestTable suffixes;
    const Test **exists;
    size_t exists_count;
    TestScan *scans;
    size_t scan_count;
    bool folds;     /* some scan wants letters in lower case */
    bool addresses; /* some scan wants an address */
} TestIndex;

/* A step of a path. A name with dots is several steps: paths are equal when their steps joined by dots are. */
struct PathNode {
    Slice step;
    PathNode *sibling;
    PathNode *newest;    /* child, while compiling */
    PathNode **children; /* ordered by size and bytes of their steps */
    size_t child_count;
    Test *tests;
    TestIndex *index; /* NULL: nothing is looked for here */
    /* Fields of this path are [first, own_end), of those below it [own_end, end). */
    uint32_t first;
    uint32_t own_end;
    uint32_t end;
    uint32_t absence; /* the place of its note of having been seen, plus one; 0: nobody asks */
    bool is_joined;   /* some branch has two fields below: they must come from one element of an array */
};

/* One way in which a pattern matches. */
typedef struct Branch {
    Test **tests; /* of different paths */
    size_t count;
    size_t capacity;
} Branch;

typedef struct Branches {
    Branch *list;
    size_t count;
    size_t capacity;
} Branches;

/* Reads one pattern; paths are added below `root`. PATTERN_INVALID: `problem`, in `arena`. */
Error pattern_parse(Arena *arena, Slice pattern, PathNode *root, Branches *branches, Slice *problem);

/* The child that a name without dots leads to; NULL: there is none. */
PathNode *path_child(const PathNode *node, Slice step);

/* Orders what the tests of a path look for. */
TestIndex *test_index_make(Arena *arena, const Test *tests);

/* Where it is noted what matches. */
typedef struct TestHits {
    unsigned char *satisfied; /* by field */
    uint64_t steps;           /* about how long it took */
} TestHits;

/* The leaf of an event: a string (escapes undone), or the text of anything else. */
typedef struct Leaf {
    Slice text;
    bool is_string;
    bool is_number;
} Leaf;

void test_index_find(const TestIndex *index, const Leaf *leaf, Arena *scratch, TestHits *hits);

/* A path that must not be there, in a branch. */
typedef struct Absence {
    uint32_t absence; /* PathNode.absence */
    uint32_t branch;
} Absence;

struct PatternSet {
    PathNode root;
    uint32_t field_count;
    uint32_t *field_branch; /* whose a field is */
    uint32_t branch_count;
    uint32_t *branch_pattern;
    uint32_t absence_count;
    uint32_t seen_count;
    Absence *absences;
    size_t pattern_count;
};

#endif
