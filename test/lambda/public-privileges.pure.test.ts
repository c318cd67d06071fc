import { decidePublic, PublicStates, WantedOfPublic } from '../../lambda/provisioner/core/public-privileges';
import { completed, decodePublicRows, encodeRecord, LocatedRecord, located, PublicRecord, withoutFormerSchema } from '../../lambda/provisioner/core/public-records';
import { NO_ROLE } from '../../lambda/provisioner/sql/registry-rows';
import { decodeRequest } from '../../lambda/provisioner/public-request';
import { Event } from '../../lambda/shared/event';

const STACK = 'arn:aws:cloudformation:eu-central-1:123456789012:stack/shop';
const RESOURCE = { stack: STACK, stackId: `${STACK}/1`, logicalId: 'P', resourceId: 'cluster-A', physicalId: 'cluster-A/shop/P' };

const event = (properties: object, others: Partial<Event> = {}): Event => ({
  RequestType: 'Create', RequestId: 'r', StackId: `${STACK}/1`, LogicalResourceId: 'P', ResourceType: 'Custom::RdsPublicPrivileges',
  ResourceProperties: { ServiceToken: 't', ServiceTimeout: '960', Database: { ResourceId: 'cluster-A' }, DatabaseName: 'shop', Revoked: { Database: ['CONNECT'] }, ...properties }, ...others,
});

describe('an event about PUBLIC', () => {
  test('is decoded, with an identity of its database', () => {
    expect(decodeRequest(event({ DatabaseName: 'a/b', Revoked: { Schemas: { public: { Schema: ['CREATE'] } } }, LockOut: ['b', 'a', 'b'] }))).toEqual({
      kind: 'public', action: 'apply', resource: { stack: STACK, stackId: `${STACK}/1`, logicalId: 'P' }, resourceId: 'cluster-A', usernames: ['public'],
      database: 'a/b', revoked: ['CREATE'], lockOut: ['a', 'b'], physicalId: 'cluster-A/a%2Fb/P', cancelled: false,
    });
  });

  test.each<[string, object]>([
    ['property "Privileges" is not allowed: the resource has only ServiceToken, ServiceTimeout, Database, DatabaseName, Revoked, LockOut, Reapply; ', { Privileges: {} }],
    ['property "Owner" is not allowed: Revoked.Schemas.public has only Schema; ', { Revoked: { Schemas: { public: { Owner: 'true' } } } }],
    ['property "app" is not allowed: Revoked.Schemas has only public; ', { Revoked: { Schemas: { app: { Schema: ['CREATE'] } } } }],
    ['Revoked.Database "TEMPORARY" is not allowed: known are CONNECT; ', { Revoked: { Database: ['TEMPORARY'] } }],
    ['Revoked.Schemas.public.Schema "USAGE" is not allowed: known are CREATE; ', { Revoked: { Schemas: { public: { Schema: ['USAGE'] } } } }],
    ['Revoked {} is not allowed: it has no privilege; name one, or remove the resource', { Revoked: {} }],
    ['Revoked that is missing is not allowed: it is not an object; ', { Revoked: undefined }],
    ['DatabaseName that is missing is not allowed', { DatabaseName: undefined }],
    ['database name "" is not allowed', { DatabaseName: '' }],
    ['role name "rdsadmin" is not allowed: RDS reserves names that begin with rds', { LockOut: ['rdsadmin'] }],
    ['LockOut "legacy" is not allowed: it is not a list; pass a list of strings', { LockOut: 'legacy' }],
  ])('is refused: %s', (reason, properties) => {
    expect(() => decodeRequest(event(properties))).toThrow(reason);
  });

  test('is decoded for what it needs where it is a Delete, and knows a creation that was cancelled', () => {
    const removal = (id: string, properties: object = {}) => decodeRequest(event({ Revoked: 'nonsense', Other: 1, ...properties }, { RequestType: 'Delete', PhysicalResourceId: id }));
    expect(removal('cluster-A/shop/P')).toMatchObject({ action: 'remove', database: 'shop', cancelled: false });
    expect(removal('made up')).toMatchObject({ cancelled: true, database: 'shop' });
    expect(removal('made up', { DatabaseName: 42 })).toMatchObject({ cancelled: true, database: '' });
    expect(removal('made up', { DatabaseName: 'a\0' })).toMatchObject({ cancelled: true, database: '' });
    expect(() => removal('cluster-A/shop/P', { DatabaseName: 42 })).toThrow('DatabaseName 42 is not allowed');
  });
});

const RECORD: PublicRecord = { ...RESOURCE, database: 'shop', revoked: ['CONNECT'], before: { CONNECT: [null, 'passer'] }, deployed: [['CONNECT'], ['CREATE']], sent: Date.UTC(2026, 0, 31) };
const here = (record: PublicRecord): LocatedRecord => ({ ...record, now: record.database });
const row = (record: PublicRecord, others: object = {}) => ({
  roleOid: NO_ROLE, ...RESOURCE, username: record.database, released: false, declarations: { ...encodeRecord(record) as object, ...others },
});

describe('a row about PUBLIC', () => {
  test('is read as it was written, with and without the oid of its database', () => {
    const withOid = { ...RECORD, identity: { oid: '16384', major: 17 } };
    expect(decodePublicRows([row(withOid)])).toEqual({ records: [withOid], unreadable: [] });
    const withSchema = { ...RECORD, identity: { oid: '16384', major: 17, schema: '2200' } };
    expect(decodePublicRows([row(withSchema)])).toEqual({ records: [withSchema], unreadable: [] });
    expect(row(withOid).declarations).toMatchObject({ format: 1, publicPrivileges: { identity: { oid: '16384', major: 17 } } });
    expect(decodePublicRows([row(RECORD), { ...row(RECORD), declarations: { format: 1, sent: '2026-01-31T00:00:00.000Z' } }])).toEqual({ records: [RECORD], unreadable: [] });
  });

  test.each<[string, object]>([
    ['format 2 is not allowed', { format: 2 }], ['property "more" is not allowed', { more: 1 }], ['revoked "ALL" is not allowed: known are CONNECT, CREATE', { publicPrivileges: { revoked: ['ALL'], before: {}, deployed: [] } }],
    ['before "ALL" is not allowed', { publicPrivileges: { revoked: [], before: { ALL: [] }, deployed: [] } }], ['oid "0" is not allowed: it is not an oid', { publicPrivileges: { revoked: [], before: {}, deployed: [], identity: { oid: '0', major: 17 } } }],
    ['identity.major "17" is not allowed: it is not a whole number', { publicPrivileges: { revoked: [], before: {}, deployed: [], identity: { oid: '1', major: '17' } } }],
    ['property "name" is not allowed: identity has only oid, major, schema', { publicPrivileges: { revoked: [], before: {}, deployed: [], identity: { oid: '1', major: 17, name: 'shop' } } }],
    ['oid "public" is not allowed: it is not an oid', { publicPrivileges: { revoked: [], before: {}, deployed: [], identity: { oid: '1', major: 17, schema: 'public' } } }],
    ['oid that is missing is not allowed', { publicPrivileges: { revoked: [], before: {}, deployed: [], identity: { major: 17 } } }],
    ['grantor 1 is not allowed', { publicPrivileges: { revoked: [], before: { CONNECT: [1] }, deployed: [] } }],
  ])('that is not understood is none that anything is decided by: %s', (reason, others) => {
    const { records, unreadable: [{ problem }] } = decodePublicRows([row(RECORD, others)]);
    expect(records).toEqual([]);
    expect(problem).toContain(`what the registry has of PUBLIC in database "shop" (resource P) is not understood: ${reason}`);
  });

  test.each<[string, object]>([
    ['format 2 is not allowed: this version of the library knows format 1; deploy with the version that wrote it', { format: 2 }],
    ['property "more" is not allowed: declarations has only format, publicPrivileges, sent; remove it, or update the provisioner', { more: 1 }],
    ['sent "today" is not allowed: it is not a time such as 2026-01-31T12:00:00.000Z; correct the row', { sent: 'today' }],
    ['before [] is not allowed: it is not an object; pass an object', { publicPrivileges: { revoked: [], before: [], deployed: [] } }],
    ['before "app" is not allowed: it is not a list; pass a list', { publicPrivileges: { revoked: [], before: { CONNECT: 'app' }, deployed: [] } }],
    ['grantor 1 is not allowed: it is not a string; pass a string', { publicPrivileges: { revoked: [], before: { CONNECT: [1] }, deployed: [] } }],
    ['deployed "CONNECT" is not allowed: it is not a list; pass a list', { publicPrivileges: { revoked: [], before: {}, deployed: 'CONNECT' } }],
    [
      'deployed "ALL" is not allowed: known are CONNECT, CREATE; name one of them, or update the provisioner',
      { publicPrivileges: { revoked: [], before: {}, deployed: [['ALL']] } },
    ],
  ])('that is not understood says what to do about it: %s', (reason, others) => {
    const problem = `what the registry has of PUBLIC in database "shop" (resource P) is not understood: ${reason}. `
      + 'Deploy with the version of the library that wrote it, or delete the row';
    const unreadable = [{ stack: STACK, logicalId: 'P', database: 'shop', problem }];
    expect(decodePublicRows([row(RECORD, others)])).toEqual({ records: [], unreadable });
  });

  test('is read without the time of an event, where none was known', () => {
    const record: PublicRecord = { ...RESOURCE, database: 'shop', revoked: RECORD.revoked, before: RECORD.before, deployed: RECORD.deployed };
    expect(encodeRecord(record)).toStrictEqual({
      format: 1, publicPrivileges: { revoked: ['CONNECT'], before: { CONNECT: [null, 'passer'] }, deployed: [['CONNECT'], ['CREATE']] },
    });
    expect(encodeRecord(RECORD)).toHaveProperty('sent', '2026-01-31T00:00:00.000Z');
    expect(decodePublicRows([row(record)]).records).toStrictEqual([record]);
  });

  test('is none that has no declarations', () => {
    expect(decodePublicRows([{ ...row(RECORD), declarations: null }])).toEqual({ records: [], unreadable: [] });
  });

  test('is about the database of its name where it says no oid', () => {
    expect(located([RECORD], new Map([['store', '1']]), { resourceId: 'cluster-A', major: 17 })).toEqual([{ ...RECORD, now: 'shop' }]);
  });

  test.each<[string | undefined, string, object, { resourceId: string; major: number }]>([
    ['shop', 'the oid is that of the name', { oid: '1', major: 17 }, { resourceId: 'cluster-A', major: 17 }],
    ['store', 'the database has another name', { oid: '2', major: 17 }, { resourceId: 'cluster-A', major: 17 }],
    [undefined, 'the database is gone, and another one has its name', { oid: '3', major: 17 }, { resourceId: 'cluster-A', major: 17 }],
    ['shop', 'the major version is another one', { oid: '2', major: 16 }, { resourceId: 'cluster-A', major: 17 }],
    ['shop', 'the server is another one', { oid: '2', major: 17 }, { resourceId: 'cluster-B', major: 17 }],
  ])('is about database %s where %s', (now, _, identity, place) => {
    expect(located([{ ...RECORD, identity } as PublicRecord], new Map([['shop', '1'], ['store', '2']]), place)).toMatchObject([{ now, database: 'shop' }]);
  });

  const [OLD, NEW] = ['2200', '16400'];
  test.each<[boolean, string, Partial<LocatedRecord>, { resourceId: string; major: number }]>([
    [false, 'another schema has its name', {}, { resourceId: 'cluster-A', major: 17 }],
    [true, 'the schema is the same', { identity: { oid: '1', major: 17, schema: NEW } }, { resourceId: 'cluster-A', major: 17 }],
    [true, 'no oid of the schema is known', { identity: { oid: '1', major: 17 } }, { resourceId: 'cluster-A', major: 17 }],
    [true, 'no oid is known', { identity: undefined }, { resourceId: 'cluster-A', major: 17 }],
    [true, 'the major version is another one', {}, { resourceId: 'cluster-A', major: 18 }],
    [true, 'the server is another one', {}, { resourceId: 'cluster-B', major: 17 }],
    [true, 'it is about another database', { now: 'store' }, { resourceId: 'cluster-A', major: 17 }],
  ])('says (%s) what PUBLIC had on the schema where %s', (isKnown, _, others, place) => {
    const record = { ...here(RECORD), before: { CONNECT: [null], CREATE: [null] }, identity: { oid: '1', major: 17, schema: OLD }, ...others };
    expect(withoutFormerSchema([record], { database: 'shop', schema: NEW, place })).toEqual([{ ...record, before: { CONNECT: [null], ...isKnown ? { CREATE: [null] } : {} } }]);
  });

  test('keeps the declaration in force and the one before it', () => {
    expect(completed({ ...RECORD, revoked: ['CONNECT', 'CREATE'] }).deployed).toEqual([['CONNECT', 'CREATE'], ['CONNECT']]);
    expect(completed(RECORD).deployed).toEqual([['CONNECT'], ['CREATE']]);
  });
});

describe('what is decided about PUBLIC', () => {
  const HELD = { by: null, as: null, grantor: null, through: null };
  const state = (relying: string[] = [], held = [HELD]): PublicStates => ({ CONNECT: { held, owner: { as: null }, relying: relying.map(role => ({ role, isAdmin: role === 'admin' })) } });
  const wanted: WantedOfPublic = { ...RESOURCE, database: 'shop', revoked: ['CONNECT'], lockOut: [] };

  test('names the first ten roles that rely on it', () => {
    const names = (count: number) => Array.from({ length: count }, (_, n) => `role${n}`);
    expect(() => decidePublic(wanted, [], state(names(10)))).toThrow(/"role9" have it through PUBLIC only; grant it to those roles, or name them in lockOut$/);
    expect(() => decidePublic(wanted, [], state(names(11)))).toThrow('"role9" and 1 more have it through PUBLIC only');
  });

  test('asks for no role where PUBLIC does not have it', () => {
    expect(decidePublic(wanted, [], state(['legacy'], []))).toMatchObject({ revokes: [], lockedOut: [], record: { before: { CONNECT: [] } } });
  });

  test('asks again for what was declared before the last declaration, unless it may be a rollback', () => {
    const record = { ...RECORD, revoked: ['CREATE'], deployed: [['CREATE'], ['CONNECT']] } as PublicRecord;
    const after = (hours: number) => () => decidePublic({ ...wanted, sentAt: RECORD.sent! + hours * 3_600_000 }, [here(record)], state(['legacy']));
    expect(after(23)()).toMatchObject({ lockedOut: [{ privilege: 'CONNECT', roles: ['legacy'] }] });
    expect(after(24)).toThrow('"legacy" has it through PUBLIC only');
    expect(decidePublic({ ...wanted, sentAt: RECORD.sent! + 1e12 }, [here(RECORD)], state(['legacy']))).toMatchObject({ lockedOut: [{ roles: ['legacy'] }] });
  });

  test('is about one database: a resource cannot change to another', () => {
    expect(() => decidePublic({ ...wanted, database: 'other' }, [here(RECORD)], state())).toThrow('DatabaseName "other" is not allowed: this resource is about database "shop"; declare another resource for it');
  });
});
