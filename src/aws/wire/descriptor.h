/* descriptor.h: an AWS API as data: what tools/apigen makes of api/NAME.smithy, and what the protocols walk.
 *
 * C shapes that the descriptors describe (generated into build/gen/api/NAME.h):
 *   string, enum        Slice            data NULL: absent
 *   blob                Slice            decoded bytes
 *   integer             int32_t x;  bool has_x;
 *   long                int64_t x;  bool has_x;
 *   double              double x;   bool has_x;
 *   boolean             bool x;     bool has_x;
 *   timestamp           int64_t x (ms since 1970);  bool has_x;
 *   list of T           struct { T *items; size_t count; }                     items NULL: absent (empty: count 0)
 *   map string to T     struct { struct { Slice key; T value; } *items; size_t count; }   in the order sent
 *   structure           T *              NULL: absent (list items and map values hold T itself)
 *   document            Slice            JSON text
 * Member names are snake_case of the declared names (MD5OfMessageBody: md5_of_message_body). Inputs and outputs are
 * named by their operation (AssumeRoleInput), other shapes by service and name (SqsMessage, SqsMessageList). */
#ifndef BRUME_AWS_WIRE_DESCRIPTOR_H
#define BRUME_AWS_WIRE_DESCRIPTOR_H

#include "base/error.h"
#include "base/limits.h"
#include "base/slice.h"
#include "store/store.h"

typedef struct Call Call;
typedef struct Shape Shape;
typedef struct Violation Violation;

typedef enum ShapeType {
    SHAPE_STRING,
    SHAPE_BLOB,
    SHAPE_INTEGER,
    SHAPE_LONG,
    SHAPE_DOUBLE,
    SHAPE_BOOLEAN,
    SHAPE_TIMESTAMP,
    SHAPE_LIST,
    SHAPE_MAP,
    SHAPE_STRUCTURE,
    SHAPE_DOCUMENT,
} ShapeType;

/* A regular expression is a row of steps: sets of characters and groups, each so many times. What is in a group stands
 * behind it; PATTERN_OR stands between the alternatives of a group or of the whole. */
typedef enum PatternKind {
    PATTERN_SET,
    PATTERN_GROUP,
    PATTERN_OR,
    PATTERN_NOT, /* a group that the rest of the value must not match */
} PatternKind;

typedef struct PatternStep {
    uint32_t ascii[4]; /* of a set: a bit for each allowed character */
    uint32_t min;
    uint32_t max;
    PatternKind kind;
    uint32_t span; /* of a group: how many of the next steps are in it */
    bool beyond;   /* of a set: characters beyond ASCII are allowed, all of them */
} PatternStep;

/* Constraints of one value; absent ones have their widest value. */
typedef struct Constraint {
    uint64_t length_min;
    uint64_t length_max; /* UTF-8 characters, bytes of a blob, items of a list or map */
    int64_t range_min;
    int64_t range_max;
    const char *pattern; /* the regular expression as AWS documents it, NULL: none */
    const PatternStep *pattern_steps;
    size_t pattern_step_count;
    const char *const *enum_values; /* NULL-terminated, NULL: none; of a list: those of its strings */
} Constraint;

/* Where a member of an input, an output or an error stands in a REST service's messages (smithy.io, "HTTP bindings"). */
typedef enum MemberBinding {
    BINDING_BODY, /* in the document; the only one in other protocols and in nested structures */
    BINDING_LABEL,
    BINDING_QUERY,
    BINDING_QUERY_PARAMS, /* a map of all parameters */
    BINDING_HEADER,
    BINDING_PREFIX_HEADERS, /* a map of the fields whose names begin so, by what follows */
    BINDING_PAYLOAD,        /* the whole body: bytes, text, or a structure's document */
    BINDING_RESPONSE_CODE,
} MemberBinding;

typedef struct Member {
    Slice name;       /* in JSON: @jsonName, or as declared */
    Slice query_name; /* in the Query protocol and its XML: @xmlName, or `name` */
    const Shape *shape;
    const Constraint *constraint; /* NULL: none */
    uint32_t offset;              /* of the value in the C struct */
    uint32_t has_offset;          /* of its has_ flag; 0: it has none */
    bool required;
    bool flattened; /* @xmlFlattened lists and maps */
    MemberBinding binding;
    Slice binding_name; /* of the parameter, the field (lower case), or what fields' names begin with */
} Member;

/* Finds a member by its name in one look, mostly: an open hash table of member number + 1 (0: free), whose seed
 * tools/apigen chose for few collisions. */
typedef struct NameTable {
    const uint8_t *slots;
    uint32_t mask;
    uint32_t seed;
} NameTable;

/* How a timestamp is written; where nothing is declared, the place decides: documents have epoch seconds, headers the
 * HTTP date, labels and queries the date-time (smithy.io, "timestampFormat trait" and "HTTP bindings"). */
typedef enum TimestampFormat {
    TIMESTAMP_OF_PLACE,
    TIMESTAMP_EPOCH_SECONDS,
    TIMESTAMP_DATE_TIME,
    TIMESTAMP_HTTP_DATE,
} TimestampFormat;

struct Shape {
    ShapeType type;
    TimestampFormat timestamp_format;
    Slice name;
    uint32_t size; /* of the value in C: Slice, int32_t …; of the struct */
    /* structures */
    const Member *members;
    size_t member_count;
    NameTable names;
    NameTable query_names;
    /* lists: the item; maps: the value; with their Query names */
    const Shape *item;
    const Constraint *item_constraint;
    const Constraint *key_constraint;
    bool is_sensitive;    /* maps, @sensitive: what it holds is told by no refusal */
    uint32_t entry_size;  /* of what `items` points to */
    uint32_t item_offset; /* of `value` in a map's entry */
    Slice item_query_name;
    Slice key_query_name;
};

/* The simple shapes that declarations start from. */
extern const Shape shape_string, shape_blob, shape_integer, shape_long, shape_double, shape_boolean, shape_timestamp,
    shape_timestamp_epoch, shape_timestamp_iso, shape_timestamp_http, shape_document;

typedef struct ApiError {
    Slice name;       /* "QueueDoesNotExist" */
    Slice json_type;  /* __type in JSON, "com.amazonaws.sqs#QueueDoesNotExist" */
    Slice query_code; /* <Code>, and x-amzn-query-error: @awsQueryError, or `name` */
    int status;
    int query_status;
    int rest_status;           /* in REST services, where it is another one than `status`; 0: it is not */
    bool sender;               /* the client's fault, as the Query protocol says it */
    const char *message;       /* a default message, or NULL */
    const char *query_message; /* where the Query protocol says it in other words; or NULL */
    bool no_xml_detail;        /* no <Detail/> in XML, though the service's other errors have one */
    const Shape *shape;        /* what is sent in JSON; NULL: the message alone, as "message" */
} ApiError;

typedef enum OperationMode {
    OPERATION_PURE,  /* touches no store: the body runs on the loop with txn NULL */
    OPERATION_READ,  /* store_read */
    OPERATION_WRITE, /* store_write */
    OPERATION_ASYNC, /* the body starts on the loop with txn NULL, and ends with call_finish or a stream (call.h) */
} OperationMode;

/* What is computed of an input before its transaction, so that the writer need not: digests, checks of the text. Runs
 * on the loop, once, and leaves its result in call->prepared; refusals are kept there too, for the body to answer when
 * it has found the resource. */
typedef void (*OperationPrepare)(Call *call, const void *input);
typedef Error (*OperationBody)(Call *call, Txn *txn, const void *input, void *output);

typedef struct Operation {
    Slice name;
    OperationMode mode;
    bool frees_space; /* deletes only: allowed while the disk is nearly full */
    bool root_only;   /* not valid at the path of a resource (Query) */
    const Shape *input;
    const Shape *output;
    bool has_output;          /* false: declared without one; `output` has no members */
    const Member *home;       /* the input's string that names the resource written; NULL: the service itself */
    OperationPrepare prepare; /* @prepared; NULL: nothing */
    OperationBody body;
    const char *iam_action;   /* "sqs:ListQueueTags" */
    const char *iam_resource; /* "{QueueUrl.arn}" */
    /* REST */
    int status;                   /* of a success answer; 200 in other protocols */
    LimitName body_limit;         /* of a request's body: the process's row */
    const Member *input_payload;  /* what the body is; NULL: a document of the members that are bound nowhere else */
    const Member *output_payload; /* the same of the answer */
    bool output_document;         /* the answer has a document */
} Operation;

/* A part of a path between slashes. */
typedef enum SegmentKind { SEGMENT_LITERAL, SEGMENT_LABEL, SEGMENT_GREEDY } SegmentKind;
typedef struct RestSegment {
    SegmentKind kind;
    Slice text;          /* literals: as it stands in the path */
    const Member *label; /* NULL: a literal, or of an unsupported operation */
} RestSegment;

/* What the query must have for a route to be taken: that parameter, with that value unless it is empty. */
typedef struct RestDemand {
    Slice name;
    Slice value;
} RestDemand;

typedef struct RestRoute {
    Slice method;
    const RestSegment *segments; /* a greedy one is the last */
    size_t segment_count;
    const RestDemand *demands;
    size_t demand_count;
    const Operation *operation; /* NULL: AWS has it, Brume does not */
    Slice name;
} RestRoute;

typedef enum ProtocolSet {
    PROTOCOL_AWS_JSON_1_0 = 1,
    PROTOCOL_AWS_JSON_1_1 = 2,
    PROTOCOL_AWS_QUERY = 4,
    PROTOCOL_REST_JSON_1 = 8,
} ProtocolSet;

/* What a service adds to the uniform way, by hand (aws/NAME/service.c). Each may be NULL. */
typedef struct ServiceHooks {
    /* Answers a constraint violation in the service's own words: calls call_fail; OK: has none for it. Without it:
     * ValidationException. */
    Error (*violation)(Call *call, const Violation *violation);
    /* Violations are told in the uniform words, but without the value (IAM): "Value at 'userName' failed …". */
    bool hides_values;
    /* Turns a code of core into an error row: calls call_fail. Required when bodies return core codes. Also asked about
     * ERROR_BUSY and ERROR_TOO_LARGE (a body past its limit, a transaction past its bounds); OK: the uniform error is
     * used. */
    Error (*core_error)(Call *call, Error error);
    /* Fills the members that all errors of the service have (Lambda: "Type"): sees each refusal before it is encoded;
     * call->error and, by call_error_members, its structure. */
    void (*complete_error)(Call *call);
    /* The home of a write from the member's value (SQS: the queue's account and name out of its URL). */
    Home (*home)(const Call *call, Slice value);
    /* Whether a request that names no target belongs to the service by its path (SQS: /123456789012/name), and the
     * name of the string member that the path stands for when the request has none ("QueueUrl"). */
    bool (*claims_path)(Slice path);
    const char *path_member;
} ServiceHooks;

typedef struct Service {
    Slice name;                  /* "sqs": the signing name, the URL's and the metrics' word */
    Slice sdk_id;                /* "SQS" */
    Slice target_prefix;         /* "AmazonSQS"; absent in REST services, as is xml_namespace */
    Slice json_namespace;        /* "com.amazonaws.sqs", before '#' in __type */
    Slice version;               /* "2012-11-05" */
    Slice xml_namespace;         /* "http://queue.amazonaws.com/doc/2012-11-05/" */
    unsigned protocols;          /* ProtocolSet bits */
    bool query_compatible;       /* JSON errors tell their Query code too (@awsQueryCompatible) */
    bool xml_error_detail;       /* XML errors have an empty <Detail/> (@xmlErrorDetail) */
    const Operation *operations; /* sorted by name */
    size_t operation_count;
    const Slice *unsupported; /* names of operations that AWS has and Brume does not, sorted */
    size_t unsupported_count;
    const RestRoute *routes; /* REST: tried in this order; the unsupported operations' are among them */
    size_t route_count;
    const ServiceHooks *hooks; /* NULL: none */
} Service;

/* The member of a structure by its name, or by its name in the Query protocol; NULL when there is none. */
const Member *shape_member(const Shape *structure, Slice name);
const Member *shape_member_by_query_name(const Shape *structure, Slice query_name);
/* The declared operation of that name, or NULL. */
const Operation *service_operation(const Service *service, Slice name);
/* Whether AWS has an operation of that name that Brume does not have. */
bool service_lists_unsupported(const Service *service, Slice name);

#endif
