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
 * Member names are snake_case of the declared names (MD5OfMessageBody: md5_of_message_body). */
#ifndef BRUME_AWS_WIRE_DESCRIPTOR_H
#define BRUME_AWS_WIRE_DESCRIPTOR_H

#include "base/error.h"
#include "base/slice.h"
#include "store/store.h"

typedef struct Call Call;
typedef struct Shape Shape;

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

/* Constraints of one member; absent ones have their widest value. */
typedef struct Constraint {
    uint64_t length_min;
    uint64_t length_max; /* UTF-8 characters, bytes of a blob, items of a list or map */
    int64_t range_min;
    int64_t range_max;
    const char *pattern;              /* a regular expression, NULL: none */
    const char *const *enum_values;   /* NULL-terminated, NULL: none */
} Constraint;

typedef struct Member {
    Slice name;       /* as declared, the name in JSON */
    Slice query_name; /* in the Query protocol and its XML: @xmlName, or `name` */
    const Shape *shape;
    const Constraint *constraint; /* NULL: none */
    uint32_t offset;              /* of the value in the C struct */
    uint32_t has_offset;          /* of its has_ flag; 0: it has none */
    bool required;
    bool flattened; /* @xmlFlattened lists and maps */
} Member;

struct Shape {
    ShapeType type;
    Slice name;
    uint32_t size; /* of the C struct (structures), of one item (lists), of one entry (maps) */
    /* structures */
    const Member *members;
    size_t member_count;
    /* lists: the item; maps: the value; with their Query names */
    const Shape *item;
    const Constraint *item_constraint;
    uint32_t item_offset; /* of `value` in a map's entry */
    Slice item_query_name;
    Slice key_query_name;
};

typedef struct ApiError {
    Slice name;       /* JSON __type, "QueueDoesNotExist" */
    Slice query_code; /* <Code>, and x-amzn-query-error: @awsQueryError, or `name` */
    int status;
    int query_status;
    bool sender; /* the client's fault, as the Query protocol says it */
    const char *message; /* a default message, or NULL */
} ApiError;

typedef enum OperationMode {
    OPERATION_PURE,  /* touches no store: the body runs on the loop with txn NULL */
    OPERATION_READ,  /* store_read */
    OPERATION_WRITE, /* store_write */
} OperationMode;

typedef Error (*OperationBody)(Call *call, Txn *txn, const void *input, void *output);

typedef struct Operation {
    Slice name;
    OperationMode mode;
    bool frees_space;         /* deletes only: allowed while the disk is nearly full */
    const Shape *input;
    const Shape *output;
    const Member *home;       /* the input's member that names the resource written; NULL: the service itself */
    OperationBody body;
    const char *iam_action;   /* "sqs:SendMessage" */
    const char *iam_resource; /* "{queue.arn}" */
} Operation;

typedef enum ProtocolSet {
    PROTOCOL_AWS_JSON_1_0 = 1,
    PROTOCOL_AWS_JSON_1_1 = 2,
    PROTOCOL_AWS_QUERY = 4,
} ProtocolSet;

typedef struct Service {
    Slice name;            /* "sqs": the signing name, the URL's and the metrics' word */
    Slice sdk_id;          /* "SQS" */
    Slice target_prefix;   /* "AmazonSQS" */
    Slice json_namespace;  /* "com.amazonaws.sqs", before '#' in __type */
    Slice version;         /* "2012-11-05" */
    Slice xml_namespace;   /* "http://queue.amazonaws.com/doc/2012-11-05/" */
    unsigned protocols;    /* ProtocolSet bits */
    const Operation *operations; /* sorted by name */
    size_t operation_count;
    /* Hand-written hooks of the service (aws/NAME/service.c); each may be NULL. */
    const struct ServiceHooks *hooks;
} Service;

struct HttpRequest;

/* What a service adds to the uniform way. */
struct Violation;

typedef struct ServiceHooks {
    /* Answers a constraint violation in the service's own words: calls call_fail. NULL: ValidationException. */
    Error (*violation)(Call *call, const struct Violation *violation);
    /* Turns a code of core into an error row: calls call_fail. Required when bodies return core codes. */
    Error (*core_error)(Call *call, Error error);
    /* The home of a write from the member's value (SQS: the queue's account and name out of its URL). */
    Home (*home)(const Call *call, Slice value);
    /* Whether a request that names no target belongs to the service by its path (SQS: /123456789012/name), and the
     * members that the path stands for (query form: QueueUrl). */
    bool (*claims_path)(Slice path);
} ServiceHooks;

#endif
