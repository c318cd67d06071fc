/**
 * The registry as earlier versions made it: without row-level security, and with declarations in a form that had no
 * number.
 */
export const REGISTRY_WITHOUT_FORMAT = `
  SET ROLE postgres;
  CREATE SCHEMA cdk_aurora_iam_auth;
  COMMENT ON SCHEMA cdk_aurora_iam_auth IS 'cdk-aurora-iam-auth: which CloudFormation resource manages which role';
  CREATE TABLE cdk_aurora_iam_auth.managed_role (
    role_oid oid NOT NULL,
    stack text NOT NULL,
    stack_id text NOT NULL,
    logical_id text NOT NULL,
    resource_id text NOT NULL,
    physical_id text NOT NULL,
    username text NOT NULL,
    declarations jsonb NOT NULL,
    released boolean NOT NULL DEFAULT false,
    PRIMARY KEY (role_oid, stack, logical_id));
  RESET ROLE`;

/** Makes the registry that is there one of an earlier version, with the same roles in it. */
export const AS_BEFORE_FORMATS = `
  CREATE TEMP TABLE kept AS SELECT * FROM cdk_aurora_iam_auth.managed_role;
  DROP SCHEMA cdk_aurora_iam_auth CASCADE;
  ${REGISTRY_WITHOUT_FORMAT};
  INSERT INTO cdk_aurora_iam_auth.managed_role
  SELECT role_oid, stack, stack_id, logical_id, resource_id, physical_id, username, (
    SELECT jsonb_agg(jsonb_build_object(
      'kind', d -> 'Kind',
      'memberOf', coalesce(d -> 'MemberOf', '[]'),
      'exclusive', d ? 'Exclusive',
      'databases', coalesce((SELECT jsonb_agg(jsonb_build_object('database', key, 'privileges', coalesce(value -> 'Database', '[]'), 'schemas', '[]'::jsonb))
                             FROM jsonb_each(d -> 'Privileges')), '[]')))
    FROM jsonb_array_elements(declarations -> 'declarations') d), released
  FROM kept;
  DROP TABLE kept`;
