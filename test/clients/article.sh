# The article's "Example with psql". In place of its host, Region and sslmode there are variables. The statement comes from standard input.

TOKEN=$(aws rds generate-db-auth-token \
  --hostname "$ENDPOINT" \
  --port 5432 --region "$REGION" --username mario.rossi@example.com)

psql "host=$ENDPOINT \
      port=5432 sslmode=$SSLMODE \
      dbname=my_database \
      user=mario.rossi@example.com \
      password=$TOKEN"
