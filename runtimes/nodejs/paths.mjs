// Where handlers' imports are looked up beside their own node_modules: layers, then the SDK (AWS Lambda developer guide,
// "Working with layers for Node.js Lambda functions"). Node.js does that for `require`, by NODE_PATH; on AWS it holds for
// `import` too, which is made so here.
import module from "node:module";
import { fileURLToPath } from "node:url";

import { FALLBACK, makeFallback } from "./fallback.mjs";

// What Brume brings itself ("brume"), behind all others.
const OWN = fileURLToPath(new URL("node_modules", import.meta.url));

export function setModulePaths() {
  const major = process.versions.node.split(".")[0];
  process.env.NODE_PATH ??= [
    `/opt/nodejs/node${major}/node_modules`,
    "/opt/nodejs/node_modules",
    "/var/runtime/node_modules",
    "/var/runtime",
    process.env.LAMBDA_TASK_ROOT ?? "/var/task",
  ].join(":");
  const given = process.env.NODE_PATH;
  process.env.NODE_PATH = `${given}:${OWN}`;
  module._initPaths();
  process.env.NODE_PATH = given;
  const folders = [...given.split(":"), OWN].filter((folder) => folder !== "");
  if (module.registerHooks) module.registerHooks({ resolve: makeFallback(folders) });
  else module.register?.(FALLBACK, { data: folders }); // before Node.js 22.15: in a thread of its own
}
