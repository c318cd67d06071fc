/**
 * A modification takes its time: at the first description after it this is the status, and at the next it is done. RDS
 * documents how long neither takes.
 */
const CHANGING = 'configuring-iam-database-auth';

/** What is going on at a database. */
export class Condition {
  /** Where it is none of `available`, it takes no modification. */
  status = 'available';

  /** Modifications that wait for the maintenance window, which never comes here. */
  pending: Record<string, string> = {};

  private underWay?: { readonly iamAuthentication: boolean; isSeen: boolean };

  /**
   * @param immediately applies all that is pending, too:
   * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.ApplyImmediately.html
   */
  modify(iamAuthentication: boolean, immediately: boolean): void {
    this.pending = immediately ? {} : { ...this.pending, IAMDatabaseAuthenticationEnabled: `${iamAuthentication}` };
    this.underWay = immediately ? { iamAuthentication, isSeen: false } : this.underWay;
  }

  /** Goes on by one step. @returns the status, and IAM authentication if it is changed now */
  describe(): { readonly status: string; readonly iamAuthentication?: boolean } {
    if (this.underWay === undefined || this.status !== 'available') {
      return { status: this.status };
    }
    const { iamAuthentication, isSeen } = this.underWay;
    if (!isSeen) {
      this.underWay.isSeen = true;
      return { status: CHANGING };
    }
    this.underWay = undefined;
    return { status: this.status, iamAuthentication };
  }
}
