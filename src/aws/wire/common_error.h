/* common_error.h: the errors that every AWS service may answer (API references, "Common Errors"), and those by which
 * Brume itself refuses. The rows stand in common_error.c. */
#ifndef BRUME_AWS_WIRE_COMMON_ERROR_H
#define BRUME_AWS_WIRE_COMMON_ERROR_H

#include "aws/wire/descriptor.h"

extern const ApiError common_missing_authentication_token; /* MissingAuthenticationToken 403 */
extern const ApiError common_incomplete_signature;         /* IncompleteSignature 403 in JSON, 400 in Query */
extern const ApiError common_invalid_client_token_id;      /* InvalidClientTokenId / UnrecognizedClientException 403 */
extern const ApiError common_expired_token;                /* ExpiredToken / ExpiredTokenException 403 */
extern const ApiError common_signature_does_not_match;     /* SignatureDoesNotMatch / InvalidSignatureException 403 */
extern const ApiError common_request_expired;              /* RequestExpired */
extern const ApiError common_access_denied;                /* AccessDenied / AccessDeniedException */
extern const ApiError common_unknown_operation;            /* UnknownOperationException / InvalidAction */
extern const ApiError common_undetermined_operation;       /* REST: AccessDeniedException 403 */
extern const ApiError common_missing_action;               /* MissingAction */
extern const ApiError common_serialization;                /* SerializationException / MalformedQueryString */
extern const ApiError common_validation;                   /* ValidationException / ValidationError */
extern const ApiError common_missing_parameter;            /* MissingParameter */
extern const ApiError common_invalid_parameter_value;      /* InvalidParameterValue */
extern const ApiError common_request_too_large;            /* RequestEntityTooLarge 413 */
extern const ApiError common_request_timeout;              /* RequestTimeout 408 */
extern const ApiError common_throttling;                   /* ThrottlingException / Throttling 400 */
extern const ApiError common_service_unavailable;          /* ServiceUnavailable 503: disk nearly full, stopping */
extern const ApiError common_internal_failure;             /* InternalFailure 500 */
extern const ApiError common_not_implemented;              /* NotImplemented 501: AWS has it, Brume does not (yet) */

#endif
