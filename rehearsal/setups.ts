import { AuroraLikeServerOptions } from './aurora-like-server';

/**
 * What to run a suite on:
 * `describe.each(SETUPS)('users on PostgreSQL $name', setup => AuroraLikeServer.start({ ...setup, ... }))`.
 */
export interface Setup extends Pick<AuroraLikeServerOptions, 'major' | 'roleRules'> {
  readonly name: string;
}

const ALL: Setup[] = [
  { name: '14', major: 14 },
  { name: '15', major: 15 },
  { name: '16, plain', major: 16, roleRules: 'plain' },
  { name: '16, RDS-like', major: 16, roleRules: 'rdsLike' },
  { name: '17, plain', major: 17, roleRules: 'plain' },
  { name: '17, RDS-like', major: 17, roleRules: 'rdsLike' },
  { name: '18, plain', major: 18, roleRules: 'plain' },
  { name: '18, RDS-like', major: 18, roleRules: 'rdsLike' },
];

/**
 * Every major that npm installs here (14 on linux-x64 alone, see .projenrc.ts); from 16 on under both rules, for it is
 * not known which of them an Aurora cluster has (docs/unknowns.md#master-grants-rds-iam).
 */
export const SETUPS: readonly Setup[] = ALL.filter(
  ({ major }) => major !== 14 || `${process.platform}-${process.arch}` === 'linux-x64',
);
