// Loaded before a test: *.localhost is this machine (RFC 6761), also where the system's resolver
// does not say so.
import dns from "node:dns";

const system = dns.lookup;
dns.lookup = (name, options, callback) => {
  const local = /\.localhost\.?$/.test(name);
  return system(local ? "127.0.0.1" : name, options, callback);
};
