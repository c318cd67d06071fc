import { oncePerApp } from '../app/synthesized-app';
import type { CheckedApp, Resource } from '../app/template';
import { attributeIn, itemsOf, type Part, partsOf } from '../app/value';

/** What runs code with a role, and the property that names it. */
const RUNNING: Record<string, string> = {
  'AWS::Lambda::Function': 'Role',
  'AWS::Serverless::Function': 'Role',
  'AWS::ECS::TaskDefinition': 'TaskRoleArn',
  'AWS::IAM::InstanceProfile': 'Roles',
  'AWS::CodeBuild::Project': 'ServiceRole',
  'AWS::Glue::Job': 'Role',
};

/** What runs with each role of the app. */
const runningWith = oncePerApp((app) => {
  const found = new Map<Resource, Resource[]>();
  for (const running of app.ofType(...Object.keys(RUNNING))) {
    for (const role of rolesOf(running)) {
      found.set(role, [...found.get(role) ?? [], running]);
    }
  }
  return found;
});

/** The roles of some functions, but not those that something else of the app runs with as well. */
export function rolesOnlyOf(app: CheckedApp, functions: readonly Resource[]): Resource[] {
  const all = new Set(functions);
  return functions
    .flatMap(identitiesOf)
    .filter(role => (runningWith(app).get(role) ?? []).every(running => all.has(running)));
}

/** The Lambda function that an ARN is of, also by a version or an alias of it. */
export function functionNamed(arn: Part[]): Resource | undefined {
  const resource = attributeIn(arn)?.resource;
  return resource && ['AWS::Lambda::Version', 'AWS::Lambda::Alias'].includes(resource.type)
    ? functionNamed(partsOf(resource.properties.FunctionName, resource.template))
    : resource;
}

/** Where AWS SAM makes the role of a function, that has the policies itself. */
function identitiesOf(running: Resource): Resource[] {
  return running.type === 'AWS::Serverless::Function' ? [running, ...rolesOf(running)] : rolesOf(running);
}

function rolesOf({ type, properties, template }: Resource): Resource[] {
  return itemsOf(properties[RUNNING[type]])
    .map(role => attributeIn(partsOf(role, template))?.resource)
    .filter(role => role !== undefined);
}
