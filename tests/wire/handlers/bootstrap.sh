#!/bin/sh
# A custom runtime in the form of AWS's tutorial: it asks for events with curl, and calls a shell function.
set -eu
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
. "$LAMBDA_TASK_ROOT/$(echo "$_HANDLER" | cut -d. -f1).sh"
while :; do
    headers=$(mktemp)
    event=$(curl -sS -LD "$headers" "$api/invocation/next")
    id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
    rm -f "$headers"
    response=$($(echo "$_HANDLER" | cut -d. -f2) "$event")
    curl -sS "$api/invocation/$id/response" -d "$response" >/dev/null
done
