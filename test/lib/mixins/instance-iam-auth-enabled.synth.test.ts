import { CfnParameter, Mixins, Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { InstanceIamAuthEnabled } from '../../../lib';
import { INSTANCE_TYPE, newApp, newCluster, newInstance, onlyResourceOf, templateOf, vpcOf } from '../support';

const AFTERWARDS
  = 'unless it is true no user can sign in with IAM; apply InstanceIamAuthEnabled or set iamAuthentication: true, and let nothing change it afterwards';

let stack: Stack;
beforeEach(() => {
  stack = new Stack(newApp(), 'Data');
});

const propertiesOf = () => onlyResourceOf(stack, 'AWS::RDS::DBInstance').Properties;
const isOn = () => propertiesOf().EnableIAMDatabaseAuthentication;

describe('InstanceIamAuthEnabled', () => {
  test.each<[string, () => void]>([
    ['DatabaseInstance', () => newInstance(stack).with(new InstanceIamAuthEnabled())],
    ['DatabaseInstance that has it on',
      () => newInstance(stack, 'Instance', { iamAuthentication: true }).with(new InstanceIamAuthEnabled())],
    ['DatabaseInstanceFromSnapshot',
      () =>
        new rds.DatabaseInstanceFromSnapshot(stack, 'Instance', {
          engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }), vpc: vpcOf(stack),
          snapshotIdentifier: 'snapshot',
        }).with(new InstanceIamAuthEnabled())],
    ['CfnDBInstance',
      () => new rds.CfnDBInstance(stack, 'Instance', { engine: 'postgres' }).with(new InstanceIamAuthEnabled())],
    ['everything in a stack', () => {
      newInstance(stack);
      Mixins.of(stack).requireAny().apply(new InstanceIamAuthEnabled());
    }],
  ])('enables IAM authentication: %s', (_, apply) => {
    apply();
    expect(isOn()).toBe(true);
  });

  test('enables it for a read replica, and not for its source', () => {
    const sourceDatabaseInstance = newInstance(stack);
    new rds.DatabaseInstanceReadReplica(stack, 'Replica', {
      sourceDatabaseInstance,
      vpc: vpcOf(stack),
      instanceType: INSTANCE_TYPE,
    }).with(new InstanceIamAuthEnabled());
    templateOf(stack).hasResourceProperties('AWS::RDS::DBInstance', {
      SourceDBInstanceIdentifier: {},
      EnableIAMDatabaseAuthentication: true,
    });
    templateOf(stack).resourcePropertiesCountIs('AWS::RDS::DBInstance', { EnableIAMDatabaseAuthentication: true }, 1);
  });

  test('supports an instance of this app, and nothing else', () => {
    const mixin = new InstanceIamAuthEnabled();
    const imported = rds.DatabaseInstance.fromDatabaseInstanceAttributes(stack, 'Imported', {
      instanceIdentifier: 'i',
      instanceEndpointAddress: 'a',
      port: 5432,
      securityGroups: [],
    });
    const queue = new sqs.Queue(stack, 'Queue');
    expect(
      [newInstance(stack), imported, queue, newCluster(stack)].map(construct => mixin.supports(construct)),
    ).toEqual([true, false, false, false]);
    mixin.applyTo(imported);
    mixin.applyTo(queue);
  });

  test.each([
    ['false', () => false],
    ['a token', () => new CfnParameter(stack, 'On').value],
  ])('fails where it is %s', (said, value) => {
    const instance = new rds.CfnDBInstance(stack, 'Instance', { enableIamDatabaseAuthentication: value() });
    expect(() => new InstanceIamAuthEnabled().applyTo(instance)).toThrow(
      new Error(
        `[Data/Instance] iamAuthentication of the instance is ${said}, and unless it is on no user can sign in with IAM; set it to true or leave it out`,
      ),
    );
  });

  test('fails where the L2 says false, which is known at the synthesis only', () => {
    expect(() => newInstance(stack, 'Instance', { iamAuthentication: false }).with(new InstanceIamAuthEnabled()))
      .toThrow('[Data/Instance/Resource] iamAuthentication of the instance is false');
  });

  test.each<[string, string, (instance: rds.CfnDBInstance) => void]>([
    ['set to false', 'false', (instance) => {
      instance.enableIamDatabaseAuthentication = false;
    }],
    ['overridden with false', 'false',
      instance => instance.addPropertyOverride('EnableIAMDatabaseAuthentication', false)],
    ['deleted', 'not set', instance => instance.addPropertyDeletionOverride('EnableIAMDatabaseAuthentication')],
  ])('fails at synthesis where it is %s afterwards, once', (_, said, change) => {
    const instance = newInstance(stack).with(new InstanceIamAuthEnabled());
    change(instance.node.defaultChild as rds.CfnDBInstance);
    expect(() => templateOf(stack)).toThrow(new Error(
      `Validation failed with the following errors:\n  [Data/Instance/Resource] EnableIAMDatabaseAuthentication is ${said}, and ${AFTERWARDS}`,
    ));
  });
});
