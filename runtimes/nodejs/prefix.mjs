// Operations that SDKs call at the endpoint's name with a prefix in front ("sync-127.0.0.1"): there is no such name before an
// address, so that it means the endpoint (AWS SDKs and Tools reference guide, "Host prefix injection", which the SDK for
// JavaScript knows as a client's `disableHostPrefix` alone).
import dns from "node:dns";

const lookup = dns.lookup;

export function findPrefixedEndpoint() {
  if (process.env.AWS_DISABLE_HOST_PREFIX_INJECTION !== "true" || !URL.canParse(process.env.AWS_ENDPOINT_URL)) return;
  const { hostname } = new URL(process.env.AWS_ENDPOINT_URL);
  dns.lookup = (name, ...rest) => lookup(isPrefixed(name, hostname) ? hostname : name, ...rest);
  // What util.promisify makes of it goes by its properties.
  Object.defineProperties(dns.lookup, Object.getOwnPropertyDescriptors(lookup));
}

function isPrefixed(name, hostname) {
  return typeof name === "string" && name !== hostname && name.endsWith(hostname);
}
