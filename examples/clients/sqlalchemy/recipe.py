import os

from reused_token import reused_token
from sqlalchemy import create_engine, event, text

token = reused_token(os.environ['PGHOST'], os.environ['PGPORT'], os.environ['PGUSER'])

# libpq reads PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE=verify-full and PGSSLROOTCERT.
engine = create_engine(
    'postgresql+psycopg://',
    pool_recycle=float(os.environ.get('CONNECTION_SECONDS') or 1800),
    pool_pre_ping=True,  # a connection that a restart has ended is replaced
)


@event.listens_for(engine, 'do_connect')
def set_password(dialect, record, args, params):
    params['password'] = token()  # called for each new connection


def query(sql):
    with engine.connect() as connection:
        return connection.execute(text(sql)).scalar()


def close():
    engine.dispose()
