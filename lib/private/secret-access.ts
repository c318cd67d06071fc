import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';

/**
 * Lets a role read a secret, and decrypt it with its key. CDK says the latter in the policy of the key alone:
 * in none for an imported key, and for a key of another stack it would make that stack depend on the role.
 */
export function grantRead(secret: secretsmanager.ISecret, role: iam.Role): void {
  const key = secret.encryptionKey;
  secret.grantRead(key && Stack.of(key) !== Stack.of(role) ? new RoleByAccount(role) : role);
  if (key) {
    role.addToPolicy(new iam.PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${secret.env.region}.amazonaws.com` } },
    }));
  }
}

/** A role that other policies know by its account only. */
class RoleByAccount extends iam.AccountPrincipal {
  constructor(private readonly role: iam.Role) {
    super(role.env.account);
  }

  public override addToPrincipalPolicy(statement: iam.PolicyStatement): iam.AddToPrincipalPolicyResult {
    return this.role.addToPrincipalPolicy(statement);
  }
}
