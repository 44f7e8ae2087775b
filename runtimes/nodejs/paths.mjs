// Where handlers' imports are looked up beside their own node_modules: layers, then the SDK (AWS Lambda developer guide,
// "Working with layers for Node.js Lambda functions"), for require and, as on AWS, for import.
import module from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

export function setModulePaths() {
  const major = process.versions.node.split(".")[0];
  process.env.NODE_PATH ??= [
    `/opt/nodejs/node${major}/node_modules`,
    "/opt/nodejs/node_modules",
    "/var/runtime/node_modules",
    "/var/runtime",
    process.env.LAMBDA_TASK_ROOT ?? "/var/task",
  ].join(":");
  module._initPaths();
}
