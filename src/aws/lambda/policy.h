/* policy.h: permissions of functions and layers as the documents that AWS makes of them. For aws/lambda alone. */
#ifndef BRUME_AWS_LAMBDA_POLICY_H
#define BRUME_AWS_LAMBDA_POLICY_H

#include "aws/lambda/dialect.h"
#include "core/function_policy.h"

/* One statement as JSON, its members in AWS's order (Lambda developer guide, "Viewing resource-based IAM policies in
 * Lambda"). In the arena. */
Slice lambda_statement(Arena *arena, const Permission *permission, Slice resource);
/* The whole policy: {"Version":"2012-10-17","Id":"default","Statement":[…]}. */
Slice lambda_policy_document(Arena *arena, const Permissions *permissions, Slice resource);
/* Reads a Principal: "*", a service, an account's number or root, or a principal's ARN. InvalidParameterValueException. */
Error lambda_read_principal(Call *call, Slice text, Permission *permission);
/* Adds it, with the words of ResourceConflictException and PolicyLengthExceededException. */
Error lambda_add_statement(Call *call, Permissions *permissions, const Permission *permission, Slice resource);
/* ResourceNotFoundException: there is no policy, or no such statement. */
Error lambda_remove_statement(Call *call, Permissions *permissions, Slice id);

#endif
