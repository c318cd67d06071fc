import dns from 'node:dns';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import process from 'node:process';
import tls from 'node:tls';
import { pathToFileURL } from 'node:url';

/** Of the invocation that is going on. */
let network = {};

let isPrepared = false;

/** Milliseconds by which the clock of the rehearsal is ahead. */
let ahead = 0;
const { now } = Date;
Date.now = () => now() + ahead;

// The process that a function runs in, in place of Lambda's runtime. One invocation comes after the other.
process.on('message', async ({ entry, handlerName, event, context, deadline, network: itsNetwork, webCertificate, aheadMs }) => {
  network = itsNetwork;
  ahead = aheadMs;
  if (!isPrepared) {
    isPrepared = true;
    redirect();
    trust(webCertificate);
  }
  let answer;
  try {
    const loaded = await load(entry);
    const handler = loaded[handlerName] ?? loaded.default?.[handlerName];
    const result = await handler(event, { ...context, getRemainingTimeInMillis: () => deadline - now() });
    answer = { result };
  } catch (error) {
    answer = { error: { name: error?.name ?? 'Error', message: error?.message ?? String(error), trace: String(error?.stack ?? error).split('\n') } };
  }
  await Promise.all([process.stdout, process.stderr].map(stream => new Promise(done => stream.write(`\0END ${context.awsRequestId}\0`, done))));
  process.send(answer);
});

/** To be required takes half the time of being imported. */
async function load(entry) {
  try {
    return createRequire(entry)(entry);
  } catch (error) {
    if (error?.code === 'ERR_REQUIRE_ESM') {
      return import(pathToFileURL(entry).href);
    }
    throw error;
  }
}

/** Beside the roots that Node.js comes with, of which those of Amazon are some. A database has an authority of its own. */
function trust(certificate) {
  const { createSecureContext } = tls;
  // Adding one takes away what this variable has added.
  const { NODE_EXTRA_CA_CERTS: extra } = process.env;
  const certificates = [certificate, ...extra && existsSync(extra) ? [readFileSync(extra)] : []];
  tls.createSecureContext = (options) => {
    const secureContext = createSecureContext(options);
    if (options?.ca === undefined) {
      certificates.forEach(each => secureContext.context.addCACert(each));
    }
    return secureContext;
  };
}

/** In place of DNS and the VPC: endpoints of databases and proxies lead to a port of this machine. Those that are not there have no address. */
function redirect() {
  const lookup = dns.promises.lookup;
  dns.promises.lookup = async (host, ...rest) => {
    const hosts = Object.keys(network).map(endpoint => endpoint.split(':')[0]);
    if (!hosts.includes(host) && /\.rds\.amazonaws\.com(\.cn)?$/.test(host)) {
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', hostname: host });
    }
    return lookup(hosts.includes(host) ? '127.0.0.1' : host, ...rest);
  };
  const connect = Socket.prototype.connect;
  const redirected = (options) => {
    const port = network[`${options.host}:${options.port}`];
    return port === undefined ? options : { ...options, host: '127.0.0.1', port };
  };
  Socket.prototype.connect = function (...args) {
    const [first, second] = args;
    if (Array.isArray(first)) { // what net.connect hands over
      first[0] = redirected(first[0]);
    } else if (typeof first === 'object') {
      args[0] = redirected(first);
    } else if (typeof second === 'string') {
      args.splice(0, 2, redirected({ port: first, host: second }));
    }
    return connect.apply(this, args);
  };
}
