#include "core/policy_document.h"

#include "base/json.h"

/* One statement, its elements as the JSON that stands there; absent: not given. */
typedef struct Statement {
    Slice sid;
    Slice effect;
    Slice principal;
    Slice not_principal;
    Slice action;
    Slice not_action;
    Slice resource;
    Slice not_resource;
    Slice condition;
} Statement;

typedef struct Element {
    Slice name;
    size_t offset;
} Element;

#define ELEMENT(name, field)                                                                                           \
    {                                                                                                                  \
        SLICE_INIT(name), offsetof(Statement, field)                                                                   \
    }
static const Element elements[] = {
    ELEMENT("Sid", sid),
    ELEMENT("Effect", effect),
    ELEMENT("Principal", principal),
    ELEMENT("NotPrincipal", not_principal),
    ELEMENT("Action", action),
    ELEMENT("NotAction", not_action),
    ELEMENT("Resource", resource),
    ELEMENT("NotResource", not_resource),
    ELEMENT("Condition", condition),
};

/* ---- Reading ---- */

/* A string, or a list of strings. */
typedef struct Strings {
    JsonReader reader;
    bool list;
    bool ended;
} Strings;

static Error strings_begin(Slice json, Arena *arena, Strings *strings)
{
    JsonType type;
    *strings = (Strings){.reader = json_reader(json, arena)};
    TRY(json_peek(&strings->reader, &type));
    strings->list = type == JSON_ARRAY;
    return strings->list ? json_begin_array(&strings->reader) : OK;
}

/* `value->data` is NULL at the end. */
static Error strings_next(Strings *strings, Slice *value)
{
    bool more = !strings->ended;
    *value = (Slice){0};
    if (strings->list)
        TRY(json_next_element(&strings->reader, &more));
    strings->ended = true;
    return more ? json_read_string(&strings->reader, value) : OK;
}

static Error read_statement(JsonReader *reader, Statement *statement)
{
    Slice name;
    *statement = (Statement){0};
    TRY(json_begin_object(reader));
    while (true) {
        TRY(json_next_member(reader, &name));
        if (name.data == NULL)
            return OK;
        Slice *field = NULL;
        for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++)
            if (slice_equal(elements[i].name, name))
                field = (Slice *)(void *)((char *)statement + elements[i].offset);
        if (field == NULL || field->data != NULL)
            return ERROR_MALFORMED;
        TRY(json_read_any(reader, field));
    }
}

typedef Error (*StatementVisit)(const Statement *statement, Arena *arena, void *context);

/* Calls `visit` for each statement: there is one, or a list of them. */
static Error each_statement(Slice json, Arena *arena, StatementVisit visit, void *context)
{
    JsonReader reader = json_reader(json, arena);
    JsonType type;
    Statement statement;
    bool more = true;
    TRY(json_peek(&reader, &type));
    if (type == JSON_OBJECT) {
        TRY(read_statement(&reader, &statement));
        return visit(&statement, arena, context);
    }
    TRY(json_begin_array(&reader));
    while (true) {
        TRY(json_next_element(&reader, &more));
        if (!more)
            return OK;
        TRY(read_statement(&reader, &statement));
        TRY(visit(&statement, arena, context));
    }
}

typedef struct Document {
    Slice version;
    Slice statements;
} Document;

static Error read_document(Slice text, Arena *arena, Document *document)
{
    JsonReader reader = json_reader(text, arena);
    Slice name;
    *document = (Document){0};
    TRY(json_begin_object(&reader));
    while (true) {
        Slice id;
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            break;
        if (slice_equal(name, SLICE("Version")) && document->version.data == NULL)
            TRY(json_read_string(&reader, &document->version));
        else if (slice_equal(name, SLICE("Statement")) && document->statements.data == NULL)
            TRY(json_read_any(&reader, &document->statements));
        else if (slice_equal(name, SLICE("Id")))
            TRY(json_read_string(&reader, &id));
        else
            return ERROR_MALFORMED;
    }
    return json_read_end(&reader);
}

/* ---- The grammar ---- */

typedef struct Check {
    PolicyUse use;
    Slice *sids; /* those seen */
    size_t sid_count;
    size_t sid_room;
    size_t statements;
} Check;

static Error check_sid(Check *check, Slice json, Arena *arena)
{
    Slice sid;
    JsonReader reader = json_reader(json, arena);
    TRY(json_read_string(&reader, &sid));
    for (size_t i = 0; i < sid.size; i++) {
        char c = sid.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return POLICY_SID_INVALID;
    }
    for (size_t i = 0; i < check->sid_count; i++)
        if (sid.size > 0 && slice_equal(check->sids[i], sid))
            return POLICY_SID_REPEATED;
    if (check->sid_count == check->sid_room) {
        size_t room = check->sid_room == 0 ? 8 : check->sid_room * 2;
        Slice *sids = ARENA_ARRAY(arena, Slice, room);
        for (size_t i = 0; i < check->sid_count; i++)
            sids[i] = check->sids[i];
        check->sids = sids;
        check->sid_room = room;
    }
    check->sids[check->sid_count++] = sid;
    return OK;
}

static Error check_actions(Slice json, PolicyUse use, Arena *arena)
{
    Strings strings;
    Slice action;
    size_t count = 0;
    TRY(strings_begin(json, arena, &strings));
    for (;; count++) {
        TRY(strings_next(&strings, &action));
        if (action.data == NULL)
            break;
        size_t colon = slice_find(action, ':');
        bool any = slice_equal(action, SLICE("*"));
        if (use == POLICY_OF_TRUST) {
            if (any || !slice_equal_ignore_case(slice_make(action.data, colon), SLICE("sts")))
                return POLICY_TRUST_ACTION;
        } else if (!any && (colon == 0 || colon + 1 >= action.size)) {
            return POLICY_ACTION_VENDOR;
        }
    }
    return count > 0 ? OK : POLICY_ACTION_MISSING;
}

static Error check_resources(Slice json, Arena *arena)
{
    Strings strings;
    Slice resource;
    size_t count = 0;
    TRY(strings_begin(json, arena, &strings));
    for (;; count++) {
        TRY(strings_next(&strings, &resource));
        if (resource.data == NULL)
            break;
        if (!slice_starts_with(resource, SLICE("*")) && !slice_starts_with(resource, SLICE("arn:")))
            return POLICY_RESOURCE_FORM;
    }
    return count > 0 ? OK : POLICY_RESOURCE_MISSING;
}

static bool is_account_id(Slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.size == 12;
}

static Error check_principal_names(Slice kind, Slice json, Arena *arena)
{
    Strings strings;
    Slice name;
    size_t count = 0;
    TRY(strings_begin(json, arena, &strings));
    for (;; count++) {
        TRY(strings_next(&strings, &name));
        if (name.data == NULL)
            break;
        bool aws = slice_equal(kind, SLICE("AWS"));
        if (name.size == 0 ||
            (aws && !slice_equal(name, SLICE("*")) && !is_account_id(name) && !slice_starts_with(name, SLICE("arn:"))))
            return POLICY_PRINCIPAL_INVALID;
    }
    return count > 0 ? OK : POLICY_PRINCIPAL_INVALID;
}

static Error check_principal(Slice json, Arena *arena)
{
    static const Slice kinds[] = {SLICE_INIT("AWS"), SLICE_INIT("Service"), SLICE_INIT("Federated"),
                                  SLICE_INIT("CanonicalUser")};
    JsonReader reader = json_reader(json, arena);
    JsonType type;
    Slice name;
    size_t count = 0;
    TRY(json_peek(&reader, &type));
    if (type == JSON_STRING) {
        TRY(json_read_string(&reader, &name));
        return slice_equal(name, SLICE("*")) ? OK : POLICY_PRINCIPAL_INVALID;
    }
    TRY(json_begin_object(&reader));
    for (;; count++) {
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            break;
        Slice names;
        bool known = false;
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            known = known || slice_equal(kinds[i], name);
        if (!known)
            return POLICY_PRINCIPAL_INVALID;
        TRY(json_read_any(&reader, &names));
        TRY(check_principal_names(name, names, arena));
    }
    return count > 0 ? OK : POLICY_PRINCIPAL_INVALID;
}

static Error check_condition(Slice json, Arena *arena)
{
    JsonReader reader = json_reader(json, arena);
    Slice name;
    TRY(json_begin_object(&reader));
    while (true) {
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            return OK;
        TRY(json_begin_object(&reader));
        Slice key = name;
        while (key.data != NULL) {
            Slice values;
            TRY(json_next_member(&reader, &key));
            if (key.data != NULL)
                TRY(json_read_any(&reader, &values));
        }
    }
}

/* What a statement must and must not have where the document stands. */
static Error check_elements(const Statement *statement, PolicyUse use, Arena *arena)
{
    bool has_principal = statement->principal.data != NULL || statement->not_principal.data != NULL;
    bool has_resource = statement->resource.data != NULL || statement->not_resource.data != NULL;
    if (use == POLICY_OF_PERMISSIONS)
        return has_principal ? POLICY_PRINCIPAL_FORBIDDEN
               : !has_resource
                   ? POLICY_RESOURCE_MISSING
                   : check_resources(statement->resource.data != NULL ? statement->resource : statement->not_resource,
                                     arena);
    if (has_resource)
        return POLICY_RESOURCE_FORBIDDEN;
    if (!has_principal)
        return POLICY_PRINCIPAL_MISSING;
    return check_principal(statement->principal.data != NULL ? statement->principal : statement->not_principal, arena);
}

static Error check_statement(const Statement *statement, Arena *arena, void *context)
{
    Check *check = context;
    bool effect =
        slice_equal(statement->effect, SLICE("\"Allow\"")) || slice_equal(statement->effect, SLICE("\"Deny\""));
    check->statements++;
    if (!effect || (statement->action.data != NULL && statement->not_action.data != NULL) ||
        (statement->resource.data != NULL && statement->not_resource.data != NULL) ||
        (statement->principal.data != NULL && statement->not_principal.data != NULL))
        return POLICY_SYNTAX;
    if (statement->sid.data != NULL)
        TRY(check_sid(check, statement->sid, arena));
    Slice actions = statement->action.data != NULL ? statement->action : statement->not_action;
    if (actions.data == NULL)
        return POLICY_ACTION_MISSING;
    TRY(check_elements(statement, check->use, arena));
    TRY(check_actions(actions, check->use, arena));
    return statement->condition.data == NULL ? OK : check_condition(statement->condition, arena);
}

Error policy_document_check(Slice text, PolicyUse use, Arena *arena)
{
    Document document;
    Check check = {.use = use};
    if (json_check(text) != OK)
        return POLICY_NO_JSON;
    if (read_document(text, arena, &document) != OK || document.statements.data == NULL)
        return POLICY_SYNTAX;
    if (document.version.data != NULL && !slice_equal(document.version, SLICE("2012-10-17")) &&
        !slice_equal(document.version, SLICE("2008-10-17")))
        return POLICY_VERSION;
    Error error = each_statement(document.statements, arena, check_statement, &check);
    if (error == OK && check.statements == 0)
        return POLICY_SYNTAX;
    return error < 0 ? POLICY_SYNTAX : error;
}

/* ---- Whom a trust policy lets in ---- */

bool policy_wildcard_matches(Slice pattern, Slice text, bool any_case)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX; /* behind the last '*', and where its run began */
    size_t run = 0;
    while (t < text.size) {
        Slice expected = slice_make(pattern.data + p, p < pattern.size ? 1 : 0);
        Slice actual = slice_make(text.data + t, 1);
        bool same = expected.size == 1 && (expected.data[0] == '?' || slice_equal(expected, actual) ||
                                           (any_case && slice_equal_ignore_case(expected, actual)));
        if (expected.size == 1 && expected.data[0] == '*') {
            star = ++p;
            run = t;
        } else if (same) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++run;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*')
        p++;
    return p == pattern.size;
}

static bool lists_action(Slice json, Slice action, Arena *arena)
{
    Strings strings;
    Slice pattern;
    if (strings_begin(json, arena, &strings) != OK)
        return false;
    while (strings_next(&strings, &pattern) == OK && pattern.data != NULL)
        if (policy_wildcard_matches(pattern, action, true))
            return true;
    return false;
}

/* An account, as its number or as its root, stands for all principals of it. */
static bool names_principal(Slice name, const TrustRequest *request, Arena *arena)
{
    if (request->account.data == NULL)
        return false;
    Slice root = arena_format(arena, "arn:aws:iam::%.*s:root", SLICE_PRINT(request->account));
    return slice_equal(name, SLICE("*")) || slice_equal(name, request->account) || slice_equal(name, root) ||
           slice_equal(name, request->principal_arn) ||
           (request->role_arn.data != NULL && slice_equal(name, request->role_arn));
}

static bool lists_principal(Slice json, const TrustRequest *request, Arena *arena)
{
    JsonReader reader = json_reader(json, arena);
    JsonType type;
    Slice kind;
    if (json_peek(&reader, &type) != OK)
        return false;
    if (type == JSON_STRING)
        return true; /* "*", as the grammar has it */
    if (json_begin_object(&reader) != OK)
        return false;
    while (json_next_member(&reader, &kind) == OK && kind.data != NULL) {
        Slice names;
        Slice name;
        Strings strings;
        if (json_read_any(&reader, &names) != OK || strings_begin(names, arena, &strings) != OK)
            return false;
        while (strings_next(&strings, &name) == OK && name.data != NULL) {
            if (slice_equal(kind, SLICE("AWS")) && names_principal(name, request, arena))
                return true;
            if (slice_equal(kind, SLICE("Service")) && request->service.data != NULL &&
                slice_equal(name, request->service))
                return true;
        }
    }
    return false;
}

/* Of {"StringEquals": {"sts:ExternalId": …}} alone it is said whether it holds; of all others, that it is unknown. */
typedef enum Truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN } Truth;

static Truth external_id_holds(Slice json, const TrustRequest *request, Arena *arena)
{
    Strings strings;
    Slice value;
    if (strings_begin(json, arena, &strings) != OK)
        return TRUTH_UNKNOWN;
    while (strings_next(&strings, &value) == OK && value.data != NULL)
        if (request->external_id.data != NULL && slice_equal(value, request->external_id))
            return TRUTH_YES;
    return TRUTH_NO;
}

static Truth condition_holds(Slice json, const TrustRequest *request, Arena *arena)
{
    JsonReader reader = json_reader(json, arena);
    Slice operator;
    Slice key;
    Slice values;
    Truth all = TRUTH_YES;
    if (json.data == NULL)
        return TRUTH_YES;
    if (json_begin_object(&reader) != OK)
        return TRUTH_UNKNOWN;
    while (json_next_member(&reader, &operator) == OK && operator.data != NULL) {
        if (!slice_equal(operator, SLICE("StringEquals")) || json_begin_object(&reader) != OK)
            return TRUTH_UNKNOWN;
        while (json_next_member(&reader, &key) == OK && key.data != NULL) {
            if (!slice_equal_ignore_case(key, SLICE("sts:ExternalId")) || json_read_any(&reader, &values) != OK)
                return TRUTH_UNKNOWN;
            Truth holds = external_id_holds(values, request, arena);
            all = holds == TRUTH_YES ? all : holds;
        }
    }
    return all;
}

typedef struct Judgement {
    const TrustRequest *request;
    bool allowed;
    bool denied;
} Judgement;

static Error judge_statement(const Statement *statement, Arena *arena, void *context)
{
    Judgement *judgement = context;
    const TrustRequest *request = judgement->request;
    bool allow = slice_equal(statement->effect, SLICE("\"Allow\""));
    bool action = statement->action.data != NULL ? lists_action(statement->action, request->action, arena)
                                                 : !lists_action(statement->not_action, request->action, arena);
    bool principal = statement->principal.data != NULL
                         ? lists_principal(statement->principal, request, arena)
                         : !allow && !lists_principal(statement->not_principal, request, arena);
    if (!action || !principal)
        return OK;
    Truth truth = condition_holds(statement->condition, request, arena);
    judgement->allowed = judgement->allowed || (allow && truth == TRUTH_YES);
    judgement->denied = judgement->denied || (!allow && truth != TRUTH_NO);
    return OK;
}

bool policy_trust_allows(Slice text, const TrustRequest *request, Arena *arena)
{
    Document document;
    Judgement judgement = {.request = request};
    if (read_document(text, arena, &document) != OK || document.statements.data == NULL ||
        each_statement(document.statements, arena, judge_statement, &judgement) != OK)
        return false;
    return judgement.allowed && !judgement.denied;
}
