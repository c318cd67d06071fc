import { AuthenticationRefused, ProtocolError } from '../../errors';

/** How a server may ask an admin for its credentials. */
type Request
  = 'authenticationCleartextPassword' | 'authenticationMD5Password' | 'authenticationSASL' | 'authenticationOk';

const ASKED: { readonly [request in Request]: AuthenticationRefused['asked'] } = {
  authenticationCleartextPassword: 'clear text',
  authenticationMD5Password: 'MD5',
  authenticationSASL: 'SCRAM',
  authenticationOk: 'nothing',
};

/**
 * With SCRAM the server does not learn the password, and proves that it knows it. A token is for RDS, which asks for it
 * in clear text.
 */
const DIALOGS = {
  password: ['authenticationSASL', 'authenticationSASLContinue', 'authenticationSASLFinal', 'authenticationOk'],
  token: ['authenticationCleartextPassword', 'authenticationOk'],
};

/**
 * The messages of a server up to the end of the authentication, as pg names them. They come in one order, or not at
 * all.
 */
export class Authentication {
  private readonly dialog: string[];
  private next = 0;

  constructor(withToken: boolean) {
    this.dialog = withToken ? DIALOGS.token : DIALOGS.password;
  }

  /** Whether the server has accepted the admin, and, where there is a password, proved that it knows it. */
  public get isDone(): boolean {
    return this.next === this.dialog.length;
  }

  /** Throws if the message must not be acted upon. */
  public hear(message: string): void {
    if (message === 'errorMessage' || message === 'notice' || (this.isDone && !message.startsWith('authentication'))) {
      return;
    }
    if (message === this.dialog[this.next]) {
      this.next++;
    } else if (this.next === 0 && Object.hasOwn(ASKED, message)) {
      throw new AuthenticationRefused(ASKED[message as Request]);
    } else {
      throw new ProtocolError('a message that is out of order');
    }
  }
}
