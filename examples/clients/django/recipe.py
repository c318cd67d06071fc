import os

import psycopg
from django.conf import settings
from django.db import close_old_connections, connection
from reused_token import reused_token

token = reused_token(os.environ['PGHOST'], os.environ['PGPORT'], os.environ['PGUSER'])


class ConnectionWithToken(psycopg.Connection):
    @classmethod
    def connect(cls, conninfo='', **kwargs):
        return super().connect(conninfo, **{**kwargs, 'password': token()})  # called for each new connection


# In settings.py this is DATABASES. libpq reads PGSSLMODE=verify-full and PGSSLROOTCERT.
settings.configure(DATABASES={
    'default': {
        'ENGINE': 'django.db.backends.postgresql',
        'HOST': os.environ['PGHOST'],
        'PORT': os.environ['PGPORT'],
        'USER': os.environ['PGUSER'],
        'NAME': os.environ['PGDATABASE'],
        'CONN_HEALTH_CHECKS': True,  # a connection that a restart has ended is replaced
        'OPTIONS': {
            'pool': {  # from Django 5.1 on: arguments of psycopg_pool.ConnectionPool
                'connection_class': ConnectionWithToken,
                'max_lifetime': float(os.environ.get('CONNECTION_SECONDS') or 1800),
                'min_size': 1,
                'timeout': 5,  # then OperationalError; the logger psycopg.pool has the reason
            },
        },
    },
})


def query(sql):
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]
    finally:
        close_old_connections()  # Django does this after each request: the connection goes back to the pool


def close():
    connection.close_pool()
