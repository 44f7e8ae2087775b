// A hook of Node.js's module loader: packages that `import` does not find are looked for in the folders of NODE_PATH.
import path from "node:path";
import { pathToFileURL } from "node:url";

export const FALLBACK = import.meta.url;

// A resolver for module.registerHooks.
export function makeFallback(folders) {
  const parents = folders.map(parentOf);
  return (specifier, context, next) => {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!isMissingPackage(error, specifier)) throw error;
      for (const parentURL of parents) {
        try {
          return next(specifier, { ...context, parentURL });
        } catch (other) {
          if (!isMissingPackage(other, specifier)) throw other;
        }
      }
      throw error;
    }
  };
}

function isMissingPackage(error, specifier) {
  return error?.code === "ERR_MODULE_NOT_FOUND" && !/^(\.{0,2}\/|[a-z]+:)/.test(specifier);
}

// A file from which a package in the folder is found by Node.js's own rules.
function parentOf(folder) {
  return pathToFileURL(path.join(path.basename(folder) === "node_modules" ? path.dirname(folder) : folder, "_")).href;
}

// ---- The same for module.register, which is asynchronous ----

let parents = [];

export function initialize(folders) {
  parents = folders.map(parentOf);
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!isMissingPackage(error, specifier)) throw error;
    for (const parentURL of parents) {
      try {
        return await next(specifier, { ...context, parentURL });
      } catch (other) {
        if (!isMissingPackage(other, specifier)) throw other;
      }
    }
    throw error;
  }
}
