import os

from psycopg_pool import ConnectionPool
from reused_token import reused_token

token = reused_token(os.environ['PGHOST'], os.environ['PGPORT'], os.environ['PGUSER'])

# libpq reads PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE=verify-full and PGSSLROOTCERT.
pool = ConnectionPool(
    kwargs=lambda: {'password': token()},  # called for each new connection, from psycopg_pool 3.3
    max_lifetime=float(os.environ.get('CONNECTION_SECONDS') or 1800),
    check=ConnectionPool.check_connection,  # a connection that a restart has ended is replaced
    min_size=1,
    timeout=5,  # then PoolTimeout; the logger psycopg.pool has the reason
    open=True,
)


def query(sql):
    with pool.connection() as connection:
        return connection.execute(sql).fetchone()[0]


def close():
    pool.close()
