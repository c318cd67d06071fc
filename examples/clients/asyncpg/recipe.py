import os

import asyncpg
from reused_token import reused_token

token = reused_token(os.environ['PGHOST'], os.environ['PGPORT'], os.environ['PGUSER'])

# asyncpg reads PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE=verify-full and PGSSLROOTCERT.
pool = asyncpg.create_pool(
    password=token,  # called for each new connection
    # A pool of asyncpg has no longest lifetime of a connection: one that is not in use ends.
    max_inactive_connection_lifetime=float(os.environ.get('CONNECTION_SECONDS') or 300),
    min_size=0,
)


async def query(sql):
    await pool  # opens it, if it is not open yet
    return await pool.fetchval(sql)


async def close():
    await pool.close()
