import { ResourceState } from './template';

/** The resources of an account that exist at this moment, and how others look for them. */
export class ExistingResources {
  /** @param all those of the stacks, those that stacks have left behind, and what stands for others */
  constructor(readonly all: () => ResourceState[]) {}

  find(type: string, id: string): ResourceState {
    const found = this.all().find(
      state => state.type === type && [state.physicalId, state.attributes.Arn].includes(id),
    );
    if (!found) {
      throw new Error(`${type} ${id} does not exist at this moment`);
    }
    return found;
  }

  role(roleArn: string | undefined): ResourceState | undefined {
    return this.all().find(({ type, attributes }) => type === 'AWS::IAM::Role' && attributes.Arn === roleArn);
  }

  functionNamed(name: string, qualifier?: string): { arn: string } | undefined {
    const state = this.all().find(({ type, physicalId, attributes }) =>
      type === 'AWS::Lambda::Function' && [physicalId, attributes.Arn].includes(name));
    const arn = state && `${state.attributes.Arn as string}${qualifier === undefined ? '' : `:${qualifier}`}`;
    const isThere = qualifier === undefined || qualifier === '$LATEST'
      || this.all().some(({ type, physicalId }) => type === 'AWS::Lambda::Alias' && physicalId === arn);
    return arn !== undefined && isThere ? { arn } : undefined;
  }

  membersOf(cluster: string): string[] {
    return this.all()
      .filter(
        ({ type, properties }) =>
          type === 'AWS::RDS::DBInstance' && String(properties.DBClusterIdentifier).toLowerCase() === cluster,
      )
      .map(({ physicalId }) => physicalId);
  }

  proxy(name: string): ResourceState | undefined {
    return this.all().find(({ type, physicalId }) => type === 'AWS::RDS::DBProxy' && physicalId === name);
  }

  proxyTargetGroup(proxy: string): ResourceState | undefined {
    return this.all().find(
      ({ type, properties }) => type === 'AWS::RDS::DBProxyTargetGroup' && properties.DBProxyName === proxy,
    );
  }

  /** The cluster or instance that `rds-db:connect` names so. */
  databaseWithId(resourceId: string): ResourceState | undefined {
    return this.all().find(({ attributes }) =>
      [attributes.DBClusterResourceId, attributes.DbiResourceId].includes(resourceId),
    );
  }
}
