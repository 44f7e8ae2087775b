// Errors as AWS's runtime for Node.js words them, in answers and in logs (AWS Lambda developer guide, "Lambda function errors
// in Node.js").

// What the runtime itself finds wrong, with a type of its own ("Runtime.ImportModuleError").
export class Fault extends Error {
  constructor(kind, message, more = {}) {
    super(message);
    this.name = kind;
    Object.assign(this, more);
    // The stack begins with what the error is; it was captured before the name was known.
    if (typeof this.stack === "string") this.stack = this.stack.replace(/^[^\n]*/, () => `${kind}: ${message}`);
  }
}

// Errors of other realms (vm contexts, workers) are none of this one's Error.
export function isError(value) {
  return (
    value instanceof Error ||
    (typeof value === "object" && value !== null && typeof value.message === "string" && typeof value.name === "string" && "stack" in value)
  );
}

// The error's document, as it goes to the caller.
export function errorDocument(error) {
  if (isError(error))
    return { errorType: clean(error.name), errorMessage: clean(error.message), trace: lines(error.stack).map(clean) };
  return { errorType: typeof error, errorMessage: clean(text(error)), trace: [] };
}

// DEL travels badly in headers, where AWS's runtime puts parts of this.
function clean(value) {
  return typeof value === "string" ? value.replaceAll("\x7F", "%7F") : value;
}

function lines(stack) {
  return typeof stack === "string" ? stack.split("\n") : [];
}

function text(value) {
  try {
    return String(value);
  } catch {
    return "unknown";
  }
}

// The same for the log: all that the error carries.
export function errorLogText(error) {
  try {
    return `\t${JSON.stringify(describe(error), (_, value) => (isError(value) ? describe(value) : value))}`;
  } catch {
    return `\t${JSON.stringify(errorDocument(error))}`;
  }
}

function describe(error) {
  if (!isError(error)) return errorDocument(error);
  const properties = { errorType: error.name, errorMessage: error.message, code: error.code, ...error };
  delete properties.name;
  return { ...properties, stack: lines(error.stack) };
}
