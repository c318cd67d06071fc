/** What the clients sign in to: the article's user, one whose tables this user may read, and a role without a grant. */
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, Privileges } from '../../lib';

const stack = new Stack(new App(), 'Clients');
const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
  engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
  writer: rds.ClusterInstance.serverlessV2('writer'),
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 }),
  defaultDatabaseName: 'my_database',
});
const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
const migrator = iamAuth.addUser('migrator', { privileges: [Privileges.createObjects({ database: 'my_database' })] });
const mario = iamAuth.addUser('mario.rossi@example.com', {
  privileges: [Privileges.readOnly({ database: 'my_database', objectsCreatedBy: [migrator] })],
});

const newRole = (id: string) => new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() });
migrator.grantConnect(newRole('Migrator'));
mario.grantConnect(newRole('Operator'));
newRole('Visitor');
new CfnOutput(stack, 'Connect', { value: mario.psqlCommand() });
