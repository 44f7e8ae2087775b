// Handlers that behave in one way each.
const { execFileSync } = require("node:child_process");

exports.echo = async (event) => event;
exports.plain = () => "ignored";
exports.callback = (event, context, callback) => callback(null, { got: event });
exports.callbackError = (event, context, callback) => callback(new RangeError("by callback"));
exports.callbackText = (event, context, callback) => callback("a text");
exports.both = async (event, context, callback) => {
  callback(null, "by callback");
  return "by promise";
};
exports.rejectsNothing = () => Promise.reject(null);
exports.done = (event, context) => context.done(null, "done");
exports.succeed = (event, context) => context.succeed("succeeded");
exports.fail = (event, context) => context.fail(new Error("failed"));

exports.context = async (event, context) => {
  const { getRemainingTimeInMillis, ...plain } = context;
  const remaining = context.getRemainingTimeInMillis();
  return { plain, remaining: remaining > 0 && remaining <= 3000 };
};
exports.environment = async () => ({ all: process.env, hours: new Date(0).getHours(), directory: process.cwd() });
exports.trace = async () => process.env._X_AMZN_TRACE_ID;
exports.answers = async (event) =>
  ({ nothing: undefined, null: null, date: new Date(0), method: () => 1, text: "wörd" })[event];
exports.unanswerable = async (event) => {
  if (event === "bigint") return { n: 1n };
  const circle = {};
  circle.circle = circle;
  return circle;
};

// ---- The event loop ----

const log = [];
exports.waits = (event, context, callback) => {
  setTimeout(() => log.push("late"), 30);
  callback(null, "answered");
};
exports.waitsNot = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setTimeout(() => log.push("late"), 30);
  callback(null, log.slice());
};
exports.log = async () => log;
exports.leftovers = async (event) => {
  if (event === "leave") {
    setTimeout(() => log.push("left over"), 10);
    setImmediate(() => log.push("immediate"));
    return log.slice();
  }
  await new Promise((resolve) => setTimeout(resolve, 40));
  return log.slice();
};
exports.neverSettled = () => new Promise(() => {});
exports.neverCalled = (event, context, callback) => {
  setTimeout(() => {}, 5);
};
exports.answersTwice = (event, context, callback) => {
  callback(null, "first");
  callback(null, "second");
};
exports.keepsOpen = async () => {
  exports.server ??= require("node:net").createServer().listen(0, "127.0.0.1");
  return "answered";
};

// ---- Errors ----

class Custom extends Error {
  constructor(message) {
    super(message);
    this.name = "CustomError";
    this.code = "E_CUSTOM";
    this.details = { order: 7 };
  }
}
exports.throws = async () => {
  throw new Custom("thrown");
};
exports.throwsAtOnce = () => {
  throw new Custom("thrown");
};
exports.throwsThing = async (event) => {
  throw { text: "text", nothing: undefined, number: 7, object: { a: 1 }, cause: new Error("outer", { cause: new Error("inner") }) }[event];
};
exports.uncaught = () =>
  new Promise(() => {
    setTimeout(() => {
      throw new TypeError("in a timer");
    }, 1);
  });
exports.rejected = () =>
  new Promise(() => {
    Promise.reject(new TypeError("nobody caught this"));
    setTimeout(() => {}, 1000);
  });
exports.exits = async (event) => process.exit(event);
exports.kills = async (event) => process.kill(process.pid, event);

// ---- Logs ----

exports.logs = async () => {
  console.debug("debug");
  console.log("log %s", "formatted", { a: 1 });
  console.info("two\nlines");
  console.warn("warn");
  console.error("error");
  console.trace("trace");
  console.fatal("fatal");
  process.stdout.write("written ");
  process.stdout.write("in parts\nand ");
  process.stderr.write("to stderr\n");
  console.log("after");
};
exports.logsThings = async () => {
  console.log({ order: 7 });
  console.error("failed:", new RangeError("too far"));
  console.error(new RangeError("alone"));
  const circle = {};
  circle.circle = circle;
  console.log(circle);
};
exports.children = async () => {
  console.log("parent");
  execFileSync("/bin/sh", ["-c", "echo program; ls -l /proc/self/fd >&2"], { stdio: ["ignore", "inherit", "pipe"] });
  return execFileSync("/bin/ls", ["-l", "/proc/self/fd"]).toString();
};

exports.nested = { deep: { handler: async () => "nested" } };
exports.notFunction = 7;
exports.three = async (event, context, callback) => typeof callback;
