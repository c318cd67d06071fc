import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { FunctionRole } from './function-role';
import { viaService } from './via-service';

/**
 * Lets a role read a secret, and decrypt it with its key. CDK says the latter in the policy of the key alone:
 * in none for an imported key, and for a key of another stack it would make that stack depend on the role.
 */
export function grantRead(secret: secretsmanager.ISecret, reader: FunctionRole): void {
  const { role, policy } = reader;
  const key = secret.encryptionKey;
  secret.grantRead(
    new SecretReader(
      reader,
      key && Stack.of(key) !== Stack.of(role) ? new iam.AccountPrincipal(role.env.account).arn : role.roleArn,
    ),
  );
  if (key) {
    policy.addStatements(new iam.PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: [key.keyArn],
      conditions: { StringEquals: viaService('secretsmanager', secret.env.region) },
    }));
  }
}

/** The role in other policies by this ARN, and by what it may do: its value is all that is read of the secret. */
class SecretReader extends iam.ArnPrincipal {
  /** Without it the secret would get a policy, too. */
  public override readonly principalAccount: string;

  constructor(private readonly reader: FunctionRole, arn: string) {
    super(arn);
    this.principalAccount = reader.role.env.account;
  }

  public override addToPrincipalPolicy({ resources }: iam.PolicyStatement): iam.AddToPrincipalPolicyResult {
    const { policy } = this.reader;
    policy.addStatements(new iam.PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources }));
    return { statementAdded: true, policyDependable: policy };
  }
}
