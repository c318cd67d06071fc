import type { SignInFacts } from '../../../lib/contract/look';
import { FIXED_DATABASE } from '../core/state';
import { signInFacts } from '../sql/sign-in';
import { Catalogs } from './catalogs';
import type { PlanOptions } from './plan';

export interface SignInQuestion {
  readonly username: string;
  readonly database: string;
}

/** What the catalogs say of one sign-in. */
export async function signIn(
  { access, budget, resourceId }: PlanOptions,
  { username, database }: SignInQuestion,
): Promise<SignInFacts> {
  const catalogs = new Catalogs(access.open, budget);
  try {
    const [[found]] = await catalogs.read(FIXED_DATABASE, { attempted: 'look at a role and its connections' }, [
      signInFacts(username, database),
    ]);
    return { resourceId, ...found } as unknown as SignInFacts;
  } finally {
    await catalogs.close();
  }
}
