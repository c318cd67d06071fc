import type { Rule } from '../rule';
import { authenticationOff } from './authentication-off';
import { connectCondition } from './connect-condition';
import { connectWildcard } from './connect-wildcard';
import { forceSslOff } from './force-ssl-off';
import { masterPasswordModifiable } from './master-password-modifiable';
import { masterSecretReadable } from './master-secret-readable';
import { masterWithPassword } from './master-with-password';
import { provisionerInvocable } from './provisioner-invocable';
import { provisionerWildcard } from './provisioner-wildcard';
import { proxyCannotConnect } from './proxy-cannot-connect';
import { signInErrorsNotExported } from './sign-in-errors-not-exported';
import { unescapedUsername } from './unescaped-username';

export const RULES: Rule[] = [
  authenticationOff,
  connectWildcard,
  connectCondition,
  unescapedUsername,
  masterSecretReadable,
  masterPasswordModifiable,
  provisionerInvocable,
  provisionerWildcard,
  proxyCannotConnect,
  masterWithPassword,
  forceSslOff,
  signInErrorsNotExported,
];
