import { Case } from './case';

export const NOTHING = 'nothing is said';

/** A message of this library: value and rule, and then the remedy. */
export const SENTENCE = /^(?!.*\[object )[^\n]+; [^\n]+$/;

/** What is said of what an app does, or what went wrong. */
export function told(work: (one: Case) => unknown, { withSynthesis = true } = {}): string {
  const one = new Case();
  try {
    work(one);
    if (withSynthesis) {
      one.app.synth();
    }
    return NOTHING;
  } catch (error) {
    const { name, message } = error as Error;
    return ['Error', 'ValidationError'].includes(name) ? message : `${name}: ${message}`;
  }
}
