// Finds a function's handler: "file.method", "folder/file.method", "file.object.method" (AWS Lambda developer guide, "Define
// Lambda function handler in Node.js"), as a CommonJS or an ES module.
import fs from "node:fs";
import module from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { Fault } from "./faults.mjs";

const PARTS = /^([^.]*)\.(.*)$/;

// The function that `handler` names below `root`. Faults say what is wrong with it.
export async function load(root, handler) {
  if (handler.includes("..")) throw malformed(handler);
  const name = path.basename(handler);
  const folder = handler.slice(0, handler.length - name.length);
  const match = PARTS.exec(name);
  if (match === null) throw new Fault("Runtime.MalformedHandlerName", "Bad handler");
  const exported = await importModule(root, folder, match[1]);
  const found = match[2].split(".").reduce((value, key) => value?.[key], exported);
  if (!found) throw new Fault("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw new Fault("Runtime.HandlerNotFound", `${handler} is not a function`);
  return found;
}

function malformed(handler) {
  const advice = "Use absolute paths when specifying root directories in handler names.";
  return new Fault("Runtime.MalformedHandlerName", `'${handler}' is not a valid handler name. ${advice}`);
}

async function importModule(root, folder, name) {
  const require = module.createRequire(path.join(root, folder, "_"));
  try {
    const file = path.resolve(root, folder, name);
    if (isFile(file)) return require(file);
    if (isFile(`${file}.js`))
      return isModuleScope(path.dirname(file)) ? await import(pathToFileURL(`${file}.js`)) : require(`${file}.js`);
    if (isFile(`${file}.mjs`)) return await import(pathToFileURL(`${file}.mjs`));
    if (isFile(`${file}.cjs`)) return require(`${file}.cjs`);
    return require(require.resolve(name, { paths: [root, path.join(root, folder)] }));
  } catch (error) {
    throw asFault(error);
  }
}

function isFile(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

// Whether the nearest package.json says that .js files are ES modules.
function isModuleScope(folder) {
  for (;;) {
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")).type === "module";
    } catch (error) {
      if (error.code !== "ENOENT" && error.code !== "ENOTDIR") return false;
    }
    const parent = path.dirname(folder);
    if (parent === folder || path.basename(folder) === "node_modules") return false;
    folder = parent;
  }
}

function asFault(error) {
  if (error instanceof SyntaxError) return new Fault("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
  if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND")
    return new Fault("Runtime.ImportModuleError", `Error: ${error.message}`);
  return error;
}
