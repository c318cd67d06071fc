/** A privilege on a database that this version grants. */
export type DatabasePrivilege = 'CONNECT';

/** One step that changes the database. The log is made of these, and so are the statements. */
export type Change
  = | { readonly kind: 'createUser'; readonly username: string }
    | { readonly kind: 'renameUser'; readonly username: string; readonly to: string }
    | { readonly kind: 'grantOnDatabase'; readonly username: string; readonly database: string; readonly privilege: DatabasePrivilege }
    | { readonly kind: 'revokeOnDatabase'; readonly username: string; readonly database: string; readonly privilege: DatabasePrivilege }
    | { readonly kind: 'grantRole'; readonly username: string; readonly role: string }
    | { readonly kind: 'revokeRole'; readonly username: string; readonly role: string }
    | { readonly kind: 'allowLogin'; readonly username: string }
    | { readonly kind: 'forbidLogin'; readonly username: string }
    | { readonly kind: 'dropUser'; readonly username: string };

export type ChangeOf<K extends Change['kind']> = Extract<Change, { kind: K }>;

/** What a change does, in words: for the log and for the reason of a failure. */
export function describe(change: Change): string {
  const user = JSON.stringify(change.username);
  switch (change.kind) {
    case 'createUser': return `create user ${user}`;
    case 'renameUser': return `rename user ${user} to ${JSON.stringify(change.to)}`;
    case 'grantOnDatabase': return `grant ${change.privilege} on database ${JSON.stringify(change.database)} to ${user}`;
    case 'revokeOnDatabase': return `revoke ${change.privilege} on database ${JSON.stringify(change.database)} from ${user}`;
    case 'grantRole': return `grant role ${JSON.stringify(change.role)} to ${user}`;
    case 'revokeRole': return `revoke role ${JSON.stringify(change.role)} from ${user}`;
    case 'allowLogin': return `allow user ${user} to log in`;
    case 'forbidLogin': return `forbid user ${user} to log in`;
    case 'dropUser': return `drop user ${user}`;
  }
}
