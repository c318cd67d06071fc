/** Which of the findings is the cause: decided here and nowhere else, from what was seen alone. */
import { Finding } from './finding';
import { Observations } from './observations';
import { clock } from './steps/clock';
import { connect } from './steps/connect';
import { credentials } from './steps/credentials';
import { endpoint } from './steps/endpoint';
import { iamAuthentication } from './steps/iam-authentication';
import { limits } from './steps/limits';
import { log } from './steps/log';
import { name } from './steps/name';
import { policy } from './steps/policy';
import { proxy } from './steps/proxy';
import { proxyGrant } from './steps/proxy-grant';
import { role } from './steps/role';
import { route } from './steps/route';
import { signIn } from './steps/sign-in';
import { throttling } from './steps/throttling';
import { tls } from './steps/tls';
import { token } from './steps/token';

/** In the order in which a sign-in meets them: what is wrong earlier explains what is wrong later. */
const STEPS: Readonly<Record<string, (seen: Observations) => Finding>> = {
  endpoint,
  name,
  route,
  tls,
  clock,
  credentials,
  token,
  'IAM sign-in': iamAuthentication,
  policy,
  proxy,
  'proxy grant': proxyGrant,
  role,
  'CONNECT': connect,
  limits,
  'RDS log': log,
  throttling,
  'sign-in': signIn,
};

export interface Step extends Finding {
  readonly step: string;
}

export interface Diagnosis {
  readonly steps: readonly Step[];
  /** The first cause, which is the one to remove. */
  readonly cause?: Step;
  readonly signedIn: boolean;
}

export function diagnose(seen: Observations): Diagnosis {
  const signedIn = seen.signIn.outcome === 'in';
  const steps = Object.entries(STEPS)
    .map(([step, look]): Step => ({ step, ...look(seen) }))
    .map(step => (signedIn ? notInTheWay(step) : step));
  return { steps, cause: steps.find(({ state }) => state === 'cause'), signedIn };
}

/** A client that has signed in is kept out by nothing, whatever a step made of what it saw. */
function notInTheWay({ step, state, found, details }: Step): Step {
  return {
    step,
    state: state === 'cause' ? 'unknown' : state,
    found: state === 'cause' ? `${found}; the sign-in passes anyway` : found,
    details,
  };
}
