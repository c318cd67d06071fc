package main

import (
	"context"
	"database/sql"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

var token = reusedToken(os.Getenv("PGHOST"), os.Getenv("PGPORT"), os.Getenv("PGUSER"))
var pool = newPool()

func newPool() *sql.DB {
	// PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE=verify-full and PGSSLROOTCERT
	config, err := pgx.ParseConfig("")
	if err != nil {
		panic(err)
	}
	withToken := stdlib.OptionBeforeConnect(func(ctx context.Context, connection *pgx.ConnConfig) (err error) {
		connection.Password, err = token(ctx) // called for each new connection
		return err
	})
	pool := stdlib.OpenDB(*config, withToken)
	pool.SetConnMaxLifetime(secondsOf("CONNECTION_SECONDS", 30*time.Minute))
	return pool
}

func query(ctx context.Context, sql string) (value string, err error) {
	err = pool.QueryRowContext(ctx, sql).Scan(&value)
	return value, err
}

func closePool() {
	pool.Close()
}
