import type { Resource } from '../app/template';
import { attributeIn, partsOf, type Setting, settingOf, shown } from '../app/value';
import { inherited, isExpress, isPostgresql, sourceOf } from '../databases/postgresql';
import type { Finding, Rule } from '../rule';

const PARAMETER = 'rds.force_ssl';

/** The first major version that has it on by default. */
const ON_FROM: Record<string, number> = { 'aurora-postgresql': 17, 'postgres': 15 };

/** A database that takes connections without TLS. */
export const forceSslOff: Rule = {
  id: 'IamAuth-ForceSslOff',
  remedy: `give the database a parameter group with ${PARAMETER}: '1', or use a version that has it on by default: 15 of RDS for PostgreSQL, 17 of Aurora PostgreSQL`,
  source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Security.html',
  check(resource) {
    const is = isPostgresql(resource);
    if (is === false || isExpress(resource)) {
      return 'NOT_APPLICABLE'; // with express configuration clients come over TLS and with IAM alone
    }
    const property = resource.type === 'AWS::RDS::DBCluster' ? 'DBClusterParameterGroupName' : 'DBParameterGroupName';
    const location = `Properties/${property}`;
    const cannotTell = (why: string): Finding[] => [
      {
        unknown: true,
        location,
        problem: `whether ${PARAMETER} is on, without which a client with a password can sign in without TLS: ${why}`,
      },
    ];
    const parameter = parameterOf(resource, property);
    if (parameter.state === 'known') {
      return isOn(parameter.value)
        ? 'COMPLIANT'
        : [
            {
              location,
              problem: `${PARAMETER} is ${parameter.value} in the parameter group, so that a client with a password can sign in without TLS`,
            },
          ];
    }
    if (parameter.state === 'unknown') {
      return cannotTell(parameter.shown);
    }
    const [engine, version] = [inherited(resource, 'Engine'), inherited(resource, 'EngineVersion')];
    if (engine.state !== 'known' || version.state !== 'known') {
      const [name, open] = engine.state === 'known' ? ['EngineVersion', version] : ['Engine', engine];
      return cannotTell(
        `the default depends on the version, and ${name} is ${open.state === 'unknown' ? open.shown : 'not set'}`,
      );
    }
    const major = Number.parseInt(version.value);
    return major >= ON_FROM[engine.value]
      ? 'COMPLIANT'
      : [
          {
            location,
            problem: `${PARAMETER} is not set, and off by default in ${engine.value} ${version.value}, so that a client with a password can sign in without TLS`,
          },
        ];
  },
};

/** What the parameter group says; that of AWS, which has the default, says nothing. */
function parameterOf(resource: Resource, property: string): Setting {
  const { properties, template } = resource;
  const name = settingOf(properties[property], template);
  const source = sourceOf(resource);
  // In the same Region a replica has the group of its source:
  // https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html
  if (name.state === 'unset' && source?.template.stack.environment === template.stack.environment) {
    return parameterOf(source, property);
  }
  if (name.state === 'unset' || (name.state === 'known' && name.value.startsWith('default.'))) {
    return { state: 'unset' };
  }
  const parts = partsOf(properties[property], template);
  const groups = ['AWS::RDS::DBClusterParameterGroup', 'AWS::RDS::DBParameterGroup'];
  const group
    = attributeIn(parts)?.resource
      ?? template.app.ofType(...groups).find(each => isNamed(each, property, name, template));
  if (!group || !groups.includes(group.type)) {
    return { state: 'unknown', shown: `parameter group ${shown(parts)} is not of this app` };
  }
  const parameters = Object(group.properties.Parameters) as Record<string, unknown>;
  const setting = settingOf(parameters[PARAMETER], group.template);
  return setting.state === 'unknown'
    ? { state: 'unknown', shown: `it is ${setting.shown} in parameter group ${group.logicalId}` }
    : setting;
}

/** A name is of one account and Region, and RDS writes it in lower case. */
function isNamed(
  group: Resource,
  property: string,
  name: Setting,
  { stack: { environment, folder } }: Resource['template'],
): boolean {
  const own = settingOf(group.properties[property], group.template);
  const { stack } = group.template;
  return name.state === 'known' && own.state === 'known' && own.value.toLowerCase() === name.value.toLowerCase()
    && stack.environment === environment && stack.folder === folder;
}

function isOn(value: string): boolean {
  return ['1', 'true', 'on'].includes(value.toLowerCase());
}
