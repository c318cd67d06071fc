import { decode, Event } from '../../lambda/provisioner/request';

const PROPERTIES = {
  ServiceToken: 'token',
  ServiceTimeout: '420',
  Database: { ResourceId: 'cluster-ABC', Host: 'db.example.com', Port: '5432' },
  Username: 'mario.rossi@example.com',
  Privileges: { stock: { Database: ['CONNECT'] }, shop: { Database: ['CONNECT', 'CONNECT'] } },
  MemberOf: ['writers', 'readers', 'readers'],
};

function event(properties: { [name: string]: unknown } = {}, fields: Partial<Event> = {}): Event {
  return {
    RequestType: 'Create',
    RequestId: 'r',
    StackId: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/0a1b2c',
    LogicalResourceId: 'User1A2B',
    ResourceType: 'Custom::RdsIamUser',
    ResourceProperties: { ...PROPERTIES, ...properties },
    ...fields,
  };
}

describe('decode', () => {
  test('a complete event, lists sorted and without duplicates', () => {
    expect(decode(event())).toEqual({
      action: 'apply',
      owner: {
        stack: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop',
        stackId: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/0a1b2c',
        logicalId: 'User1A2B',
      },
      host: 'db.example.com',
      port: 5432,
      resourceId: 'cluster-ABC',
      username: 'mario.rossi@example.com',
      declaration: {
        databases: [{ database: 'shop', privileges: ['CONNECT'] }, { database: 'stock', privileges: ['CONNECT'] }],
        memberOf: ['readers', 'writers'],
      },
      physicalId: 'cluster-ABC/mario.rossi%40example.com/User1A2B',
    });
  });

  test('privileges and memberships are optional', () => {
    expect(decode(event({ Privileges: undefined, MemberOf: undefined })).declaration).toEqual({ databases: [], memberOf: [] });
  });

  test('a delete keeps the physical id it is for, and takes any name', () => {
    expect(decode(event({ Username: 'pg_x' }, { RequestType: 'Delete', PhysicalResourceId: 'that one' }))).toMatchObject({ action: 'remove', username: 'pg_x', physicalId: 'that one' });
  });

  test('a database named __proto__ is a database like any other', () => {
    const privileges = JSON.parse('{"__proto__":{"Database":["CONNECT"]}}') as unknown;
    expect(decode(event({ Privileges: privileges })).declaration.databases).toEqual([{ database: '__proto__', privileges: ['CONNECT'] }]);
  });

  test.each([
    ['0', false], ['1', true], ['65535', true], ['65536', false], ['5432.0', false], ['', false], ['5432 ', false],
  ])('port %j is accepted: %s', (port, accepted) => {
    const decoded = () => decode(event({ Database: { ...PROPERTIES.Database, Port: port } }));
    if (accepted) {
      expect(decoded().port).toBe(Number(port));
    } else {
      expect(decoded).toThrow(`port ${JSON.stringify(port)} is not allowed: it is not a number from 1 to 65535; pass the port of the database`);
    }
  });

  test.each<[string, { [name: string]: unknown }, string]>([
    ['an unknown property', { Extra: 'x' }, 'property "Extra" is not allowed: the resource has only ServiceToken, ServiceTimeout, Database, Username, PolicyUsername, Privileges, MemberOf; remove it, or update the provisioner'],
    ['an unknown kind of privilege', { Privileges: { shop: { Tables: [] } } }, 'property "Tables" is not allowed: Privileges.shop has only Database; remove it, or update the provisioner'],
    ['an unknown privilege', { Privileges: { shop: { Database: ['connect'] } } }, 'privilege on a database "connect" is not allowed: known are CONNECT; update the provisioner and the resource to the same version of the library'],
    ['no username', { Username: undefined }, 'Username that is missing is not allowed: it is not a string; pass a string'],
    ['a username that is no string', { Username: ['a'] }, 'Username ["a"] is not allowed: it is not a string; pass a string'],
    ['no database', { Database: 'x' }, 'Database "x" is not allowed: it is not an object; pass an object'],
    ['a list that is none', { MemberOf: 'readers' }, 'MemberOf "readers" is not allowed: it is not a list; pass a list of strings'],
    ['membership in rds_iam', { MemberOf: ['rds_iam'] }, 'role name "rds_iam" is not allowed: every user of this library is a member of it already; leave it out'],
    ['a database name that is too long', { Privileges: { ['x'.repeat(64)]: {} } }, `database name "${'x'.repeat(64)}" is not allowed: it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps of a name; shorten it`],
  ])('%s is refused', (_, properties, message) => {
    expect(() => decode(event(properties))).toThrow(new Error(message));
  });

  test('another resource type is refused', () => {
    expect(() => decode(event({}, { ResourceType: 'Custom::Other' }))).toThrow(
      new Error('resource type "Custom::Other" is not allowed: the provisioner does not know it; update the provisioner and the resource to the same version of the library'));
  });
});
