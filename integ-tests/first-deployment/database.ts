import { Signer } from '@aws-sdk/rds-signer';
import { Account, Credentials } from './account';
import type { SignIn, SignInAnswer } from './sign-in';

export type Rows = Record<string, unknown>[];

/** The cluster of the stack, reached through its function, and through the Data API. */
export class Database {
  private readonly assumed = new Map<string, Credentials>();

  constructor(
    private readonly account: Account,
    private readonly outputs: Record<string, string>,
  ) {}

  /** With a token of a role of the stack. */
  async asRole(role: string, user: string, sql = 'SELECT current_user::text AS name'): Promise<SignInAnswer> {
    const signer = new Signer({
      hostname: this.outputs.Host,
      port: 5432,
      username: user,
      region: this.account.region,
      credentials: await this.credentialsOf(role),
    });
    return this.signIn({ user, password: await signer.getAuthToken(), sql });
  }

  /** With the master's password. */
  async asMaster(sql: string, database?: string): Promise<SignInAnswer> {
    const { SecretString } = (await this.account.aws('secretsmanager get-secret-value', {
      '--secret-id': this.outputs.SecretArn,
    })) as { SecretString: string };
    const { username, password } = JSON.parse(SecretString) as { username: string; password: string };
    return this.signIn({ user: username, password, sql, database });
  }

  async signIn(attempt: SignIn): Promise<SignInAnswer> {
    return (await this.account.invoke(this.outputs.SignInFunction, attempt)) as SignInAnswer;
  }

  /** Through the Data API. Throws what it says. */
  async throughDataApi(sql: string): Promise<unknown> {
    const options = {
      '--resource-arn': this.outputs.ClusterArn,
      '--secret-arn': this.outputs.SecretArn,
      '--database': 'shop',
      '--sql': sql,
    };
    return this.account.aws('rds-data execute-statement', options, await this.credentialsOf('Operator'));
  }

  private async credentialsOf(role: string): Promise<Credentials> {
    const known = this.assumed.get(role);
    if (known) {
      return known;
    }
    const options = { '--role-arn': this.outputs[`${role}Role`], '--role-session-name': 'first-deployment' };
    const {
      Credentials: { AccessKeyId, SecretAccessKey, SessionToken },
    } = (await this.account.aws('sts assume-role', options)) as {
      Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string };
    };
    const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    this.assumed.set(role, credentials);
    return credentials;
  }
}

/** What came back, in one line. */
export function said(answer: SignInAnswer): string {
  return 'refused' in answer ? answer.refused : JSON.stringify(answer.rows);
}
