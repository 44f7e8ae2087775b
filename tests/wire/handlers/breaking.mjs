// Does with a circuit breaker what the event says.
import { createRequire } from "node:module";

import { CircuitBreaker, CircuitOpenError } from "brume";

const required = createRequire(import.meta.url)("brume");

async function guarded(breaker, fails) {
  const answer = breaker.wrap(async () => {
    if (fails) throw new RangeError("fallen");
    return "called";
  });
  try {
    return await answer();
  } catch (error) {
    if (error instanceof CircuitOpenError) return `open: ${error.message}, ${error.retryAt instanceof Date}`;
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

export async function handler(event) {
  if (required.CircuitBreaker !== CircuitBreaker) throw new Error("two modules of one name");
  const options = { failureThreshold: event.threshold ?? 3, recoveryTimeout: 60, endpoint: event.endpoint, timeout: 2 };
  const breaker = new CircuitBreaker(event.name, options);
  if (event.do === "guarded") return guarded(breaker, event.fails);
  return (await breaker[event.do]()) ?? null;
}
