import { Rule } from '../rule';
import { authenticationOff } from './authentication-off';
import { connectWildcard } from './connect-wildcard';
import { forceSslOff } from './force-ssl-off';
import { masterSecretReadable } from './master-secret-readable';
import { masterWithPassword } from './master-with-password';
import { proxyCannotConnect } from './proxy-cannot-connect';
import { unescapedUsername } from './unescaped-username';

export const RULES: Rule[] = [
  authenticationOff,
  connectWildcard,
  unescapedUsername,
  masterSecretReadable,
  proxyCannotConnect,
  masterWithPassword,
  forceSslOff,
];
