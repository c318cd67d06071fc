import { Stack, Stage, Token, TokenComparison, Tokenization } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct, IConstruct } from 'constructs';
import { claim } from './claims';
import { adminsOf } from './cluster';
import { errorAt } from './errors';
import { fingerprint, Provisioner, ProvisionerProps } from './provisioner';
import { ConnectGrants } from '../connect-grants';
import { usernameProblem } from '../contract/names';
import { DatabaseAddress } from '../contract/wire';

/** Id of the provisioner in the stack of its AuroraIamAuth. */
export const PROVISIONER_ID = 'Provisioner';

/** What users need of the database they are in: its address, its grants, and who creates them. */
export class ManagedDatabase {
  public readonly grants: ConnectGrants;

  constructor(private readonly iamAuth: Construct, private readonly cluster: rds.CfnDBCluster, private readonly provisionerProps: ProvisionerProps) {
    const first = claim(cluster, `provisioner ${Stack.of(iamAuth).node.path} ${fingerprint(provisionerProps)}`, iamAuth);
    if (first !== iamAuth) {
      throw errorAt(iamAuth, `cluster ${provisionerProps.cluster.node.path} has an AuroraIamAuth in this stack already, with the same admin and network; use ${first.node.path}`);
    }
    this.grants = ConnectGrants.fromCluster(provisionerProps.cluster);
  }

  public get address(): DatabaseAddress {
    return {
      ResourceId: this.cluster.attrDbClusterResourceId,
      Host: this.cluster.attrEndpointAddress,
      Port: Tokenization.stringifyNumber(this.provisionerProps.port),
    };
  }

  public get region(): string {
    return this.cluster.env.region;
  }

  public isSameAs(other: ManagedDatabase): boolean {
    return this.cluster === other.cluster;
  }

  /** Refuses a name that PostgreSQL, RDS or IAM does not take; a token is refused by the deployment. */
  public checkUsername(scope: IConstruct, username: string): void {
    if (Token.isUnresolved(username)) {
      return;
    }
    const { cluster, adminSecret } = this.provisionerProps;
    const problem = [undefined, ...adminsOf(cluster, this.cluster, adminSecret)].map(admin => usernameProblem(username, admin)).find(found => found);
    if (problem) {
      throw errorAt(scope, problem);
    }
  }

  /** A username belongs to one construct of the app, whichever stack and AuroraIamAuth it is in. */
  public claimUsername(user: IConstruct, username: string): void {
    const owner = Token.isUnresolved(username) ? user : claim(this.cluster, `username ${username}`, user);
    if (owner !== user) {
      throw errorAt(user, `username ${JSON.stringify(username)} is taken: ${owner.node.path} creates it in the same database; use that user, or choose another name`);
    }
  }

  /**
   * The provisioner of a stack. Its id must stay: CloudFormation refuses a custom resource whose
   * ServiceToken changes. So it depends neither on the network nor on the admin, nor on the stage around the stacks.
   */
  public provisionerFor(user: Construct): Provisioner {
    const stack = Stack.of(user);
    for (const key of ['account', 'region'] as const) {
      const [there, here] = [this.cluster.env[key], stack[key]];
      const comparison = Token.compareStrings(there, here);
      if (comparison === TokenComparison.ONE_UNRESOLVED) {
        const [known, open, which] = Token.isUnresolved(here) ? [there, stack.node.path, 'database'] : [here, Stack.of(this.cluster).node.path, 'user'];
        throw errorAt(user, `${key} of stack ${open} is left open and the one of the ${which} is ${known}, and they must be the same; `
          + `give stack ${open} the env of the other`);
      }
      if (comparison === TokenComparison.DIFFERENT) {
        throw errorAt(user, `${key} ${here} of the stack is not ${there} of the database, and its users are created from there; `
          + `create the user in a stack of ${key} ${there}`);
      }
    }
    const [scope, id] = stack === Stack.of(this.iamAuth)
      ? [this.iamAuth, PROVISIONER_ID]
      : [stack, `${PROVISIONER_ID} ${pathInStage(this.iamAuth)}`];
    return scope.node.tryFindChild(id) as Provisioner | undefined ?? new Provisioner(scope, id, this.provisionerProps);
  }
}

function pathInStage(construct: Construct): string {
  const stage = Stage.of(construct);
  return construct.node.scopes.filter(scope => stage?.node.scopes.includes(scope) !== true).map(scope => scope.node.id).join('/');
}
