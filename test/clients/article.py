# The article's "Example with Python and psycopg2". In place of its host, Region and sslmode there are variables; the statement is added.
import os

import boto3
import psycopg2

client = boto3.client('rds', region_name=os.environ['REGION'])

token = client.generate_db_auth_token(
    DBHostname=os.environ['ENDPOINT'],
    Port=5432,
    DBUsername='mario.rossi@example.com'
)

conn = psycopg2.connect(
    host=os.environ['ENDPOINT'],
    port=5432,
    database='my_database',
    user='mario.rossi@example.com',
    password=token,
    sslmode=os.environ['SSLMODE']
)

cursor = conn.cursor()
cursor.execute(os.environ['STATEMENT'])
print(cursor.fetchone()[0])
