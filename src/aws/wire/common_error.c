#include "aws/wire/common_error.h"

/* Names, codes and statuses: API references, "Common Errors"; the namespaces as AWS's services send them. `message` is
 * what is said when the place that refuses has nothing better to say. */
#define ROW(variable, json_name, code, json_status, xml_status, is_sender, text, ...)                                  \
    const ApiError variable = {.name = SLICE_INIT(json_name),                                                          \
                               .json_type = SLICE_INIT("com.amazon.coral.service#" json_name),                         \
                               .query_code = SLICE_INIT(code),                                                         \
                               .status = json_status,                                                                  \
                               .query_status = xml_status,                                                             \
                               .sender = is_sender,                                                                    \
                               .message = text,                                                                        \
                               ##__VA_ARGS__}

ROW(common_missing_authentication_token, "MissingAuthenticationTokenException", "MissingAuthenticationToken", 403, 403,
    true, "Request is missing Authentication Token");
ROW(common_incomplete_signature, "IncompleteSignatureException", "IncompleteSignature", 403, 400, true,
    "The request signature does not conform to AWS standards.");
ROW(common_invalid_client_token_id, "UnrecognizedClientException", "InvalidClientTokenId", 403, 403, true,
    "The security token included in the request is invalid.");
ROW(common_expired_token, "ExpiredTokenException", "ExpiredToken", 403, 403, true,
    "The security token included in the request is expired");
ROW(common_signature_does_not_match, "InvalidSignatureException", "SignatureDoesNotMatch", 403, 403, true,
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.");
ROW(common_request_expired, "RequestExpired", "RequestExpired", 400, 400, true,
    "The request reached the service more than 15 minutes after its date stamp or after its expiration date.");
ROW(common_access_denied, "AccessDeniedException", "AccessDenied", 400, 403, true,
    "You do not have sufficient access to perform this action.", .rest_status = 403);
/* What REST services answer to a path or a method that no operation has: the step that would authorize it comes first. */
ROW(common_undetermined_operation, "AccessDeniedException", "AccessDenied", 403, 403, true,
    "Unable to determine service/operation name to be authorized");
ROW(common_unknown_operation, "UnknownOperationException", "InvalidAction", 400, 400, true, NULL);
ROW(common_missing_action, "MissingAction", "MissingAction", 400, 400, true,
    "The request is missing an action or a required parameter.");
ROW(common_serialization, "SerializationException", "MalformedQueryString", 400, 400, true,
    "The query string contains a syntax error.");
ROW(common_validation, "ValidationException", "ValidationError", 400, 400, true, NULL);
ROW(common_missing_parameter, "MissingRequiredParameterException", "MissingParameter", 400, 400, true,
    "A required parameter for the specified action is not supplied.");
ROW(common_invalid_parameter_value, "InvalidParameterValueException", "InvalidParameterValue", 400, 400, true, NULL);
ROW(common_request_too_large, "RequestEntityTooLargeException", "RequestEntityTooLarge", 413, 413, true,
    "Request size exceeded the supported maximum.");
ROW(common_request_timeout, "RequestTimeout", "RequestTimeout", 408, 408, true,
    "The request's body did not come in time.");
ROW(common_throttling, "ThrottlingException", "Throttling", 400, 400, true, "Rate exceeded", .rest_status = 429);
ROW(common_service_unavailable, "ServiceUnavailableException", "ServiceUnavailable", 503, 503, false,
    "The request has failed due to a temporary failure of the server.");
ROW(common_internal_failure, "InternalFailure", "InternalFailure", 500, 500, false,
    "The request processing has failed because of an unknown error, exception or failure.");
ROW(common_not_implemented, "NotImplemented", "NotImplemented", 501, 501, false, NULL);
