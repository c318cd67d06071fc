/** In place of DNS and routes for a program under test: NAMED_NETWORK has a local port, or null, by `host:port`. */
const { promises: dns } = require('node:dns');
const { Socket } = require('node:net');
const process = require('node:process');

const ports = JSON.parse(process.env.NAMED_NETWORK);
const { connect } = Socket.prototype;

dns.lookup = host => Object.keys(ports).some(name => name.startsWith(`${host}:`))
  ? Promise.resolve([{ address: '10.0.12.34', family: 4 }])
  : Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }));

Socket.prototype.connect = function (...args) {
  const [port, host] = typeof args[0] === 'object' ? [] : args;
  const local = ports[`${host}:${port}`];
  if (local === null) {
    this.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
    return this;
  }
  return local === undefined ? connect.apply(this, args) : connect.call(this, local, '127.0.0.1');
};
