/** A modification takes its time: at these descriptions after it the database is like this, and at the next it is done. RDS documents neither how many nor how long. */
const STAGES = ['available', 'configuring-iam-database-auth'];

/** What is going on at a database. */
export class Condition {
  /** Where it is none of `available`, it takes no modification. */
  status = 'available';

  /** Modifications that wait for the maintenance window, which never comes here. */
  pending: Record<string, string> = {};

  private underWay?: { readonly iamAuthentication: boolean; stage: number };

  /** @param immediately applies all that is pending, too: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.ApplyImmediately.html */
  modify(iamAuthentication: boolean, immediately: boolean): void {
    this.pending = immediately ? {} : { ...this.pending, IAMDatabaseAuthenticationEnabled: `${iamAuthentication}` };
    this.underWay = immediately ? { iamAuthentication, stage: 0 } : this.underWay;
  }

  /** Goes on by one step. @returns the status, and IAM authentication if it is changed now */
  describe(): { readonly status: string; readonly iamAuthentication?: boolean } {
    if (this.underWay === undefined || this.status !== 'available') {
      return { status: this.status };
    }
    const { iamAuthentication, stage } = this.underWay;
    if (stage < STAGES.length) {
      this.underWay.stage += 1;
      return { status: STAGES[stage] };
    }
    this.underWay = undefined;
    return { status: this.status, iamAuthentication };
  }
}
