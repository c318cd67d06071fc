import { methodIn, SignInError } from '../../errors';
import { MEANINGS, SESSION_USER } from '../../remedies/sign-in';

/** An error that came before the server accepted the admin: who sent it is not proved, so that the words are ours. */
export function signInError({
  code,
  message,
  routine,
}: {
  readonly code?: string;
  readonly message: string;
  readonly routine?: string;
}): SignInError {
  const sqlState = code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : 'unknown';
  // Of the text and the function, no more than what is known.
  const fields = { method: methodIn(message), ...routine === SESSION_USER ? { routine } : {} };
  const words
    = MEANINGS.find(({ matches }) => matches({ sqlState, fields }))?.words ?? 'the server refused the connection';
  return new SignInError(words, sqlState, fields);
}
