/** What was seen from here, before anything is concluded from it. */
import { DecodedToken } from './token';
import { SignInFacts } from '../../lib/contract/look';
import { PolicyDocument } from '../../rehearsal/iam/policy-document';

/** Something that was looked at, or why that was not possible. */
export type Seen<Value> = { readonly value: Value } | Unseen;

export interface Unseen {
  /** What is missing, such as `needs rds:DescribeDBClusters`. */
  readonly unseen: string;
}

export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** How the client connects, as its PG* variables say it. */
export interface Client {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly database: string;
  /** The Region that the client makes tokens for. @default - that of the database */
  readonly region?: string;
  readonly sslMode: SslMode;
  /** PGSSLROOTCERT. @default - the authorities that Node.js has */
  readonly caFile?: string;
  /** Whether this host is one of the client's, so that a database that does not answer is a cause. */
  readonly inside: boolean;
}

/** A cluster or an instance, as RDS describes it. */
export interface DatabaseFacts {
  readonly kind: 'cluster' | 'instance';
  readonly identifier: string;
  /** `cluster-...` or `db-...`, as `rds-db:connect` names it. */
  readonly resourceId: string;
  readonly arn: string;
  readonly status: string;
  /** Its endpoints; of a cluster also its reader endpoint and custom ones. */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly iamAuthentication: boolean;
  /** What IAM authentication is changed to in the maintenance window. */
  readonly pendingIamAuthentication?: boolean;
  readonly logExports: readonly string[];
  /** Instances that the metrics are about. */
  readonly instances: readonly string[];
}

export interface ProxyFacts {
  readonly name: string;
  /** `prx-...` */
  readonly resourceId: string;
  readonly arn: string;
  readonly status: string;
  readonly host?: string;
  readonly roleArn: string;
  /** Of clients and of the proxy at the database. */
  readonly defaultAuthScheme: string;
  readonly auth: readonly { readonly iamAuth: string; readonly secretArn?: string }[];
  readonly targets: readonly { readonly id: string; readonly state?: string; readonly reason?: string }[];
}

/** What a host's name says of it; whether RDS has it is another question. */
export type HostKind = 'cluster' | 'reader' | 'custom' | 'instance' | 'proxy' | 'other';

export interface Caller {
  /** As STS names it. */
  readonly arn: string;
  readonly account: string;
}

/** Of rds-db:connect on one ARN, or of another action, by one identity. */
export interface PolicyFacts {
  /** A role or a user of IAM. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** What IAM's simulator says. */
  readonly simulation: Seen<Simulation>;
  /** The policies themselves. */
  readonly documents: Seen<PolicyDocuments>;
}

export interface Simulation {
  readonly decision: 'allowed' | 'explicitDeny' | 'implicitDeny';
  /** Whether the permissions boundary allows it, if there is one. */
  readonly boundaryAllows?: boolean;
  /** Whether the policies of the organization allow it, if there are some. */
  readonly organizationAllows?: boolean;
  readonly missingContext: readonly string[];
}

export interface PolicyDocuments {
  readonly policies: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy;
}

export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/** What the database itself holds; see CatalogWitness. */
export type CatalogFacts = Omit<SignInFacts, 'resourceId'>;

export interface TlsFacts {
  /** Whether the server takes TLS. */
  readonly offered: boolean;
  /** Why the certificate is not trusted, as OpenSSL names it. */
  readonly distrusted?: string;
  /** Whether the certificate is for the host. */
  readonly namesHost?: boolean;
  readonly certificateNames?: readonly string[];
  /** Of the certificate at the end of the chain that the server sent. */
  readonly issuer?: string;
  /** Where the trusted authorities come from; undefined if the client has named none. */
  readonly authorities?: string;
  /** Why the file with the authorities cannot be used. */
  readonly caFileProblem?: string;
}

/** A record of the log iam-db-auth-error about this user. */
export interface RdsRecord {
  /** Such as NotAuthorized. */
  readonly error: string;
  /** Whose sign-in it was. */
  readonly identity?: string;
  readonly minutesAgo: number;
  /** Whether it was written after the sign-in of this diagnosis began. */
  readonly isOfThisSignIn: boolean;
}

export type SignIn
  = | { readonly outcome: 'in' }
    | { readonly outcome: 'refused'; readonly code: string; readonly message: string }
    | { readonly outcome: 'failed'; readonly message: string }
    | { readonly outcome: 'not tried'; readonly reason: string };

export interface Observations {
  readonly client: Client;
  readonly hostKind: HostKind;
  /** Region in the name of the host or of the database's ARN. */
  readonly databaseRegion?: string;
  /** Account of the stack that declares the user, if that is known. */
  readonly declaredAccount?: string;
  readonly database: Seen<DatabaseFacts>;
  /** If the host is that of a proxy. */
  readonly proxy?: Seen<ProxyFacts>;
  readonly addresses: Seen<readonly string[]> | { readonly failed: string };
  readonly route: Seen<true> | { readonly failed: string };
  readonly tls: Seen<TlsFacts>;
  /** How far the clock here is ahead of the clock of AWS, in seconds. */
  readonly clockAheadSeconds: Seen<number>;
  readonly caller: Seen<Caller> | { readonly refused: string };
  /** The one that the client has in PGPASSWORD. */
  readonly clientPassword?: DecodedToken | 'not a token';
  /** Whether that one was signed with the credentials that are here. */
  readonly isTokenOfCaller: boolean;
  readonly now: Date;
  readonly policy: Seen<PolicyFacts>;
  /** rds-db:connect of the proxy's role at the database. */
  readonly proxyGrant: Seen<PolicyFacts>;
  /** secretsmanager:GetSecretValue of the proxy's role, for each secret. */
  readonly proxySecrets: Seen<readonly PolicyFacts[]>;
  readonly catalog: Seen<CatalogFacts>;
  readonly log: Seen<readonly RdsRecord[]>;
  /** Sign-ins that were throttled in the last 15 minutes. */
  readonly throttled: Seen<number>;
  readonly signIn: SignIn;
}

export function isSeen<Observed extends object>(
  seen: Observed,
): seen is Extract<Observed, { readonly value: unknown }> {
  return 'value' in seen;
}
