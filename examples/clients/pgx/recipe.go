package main

import (
	"context"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var token = reusedToken(os.Getenv("PGHOST"), os.Getenv("PGPORT"), os.Getenv("PGUSER"))
var pool = newPool()

func newPool() *pgxpool.Pool {
	// PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE=verify-full and PGSSLROOTCERT
	config, err := pgxpool.ParseConfig("")
	if err != nil {
		panic(err)
	}
	config.MaxConnLifetime = secondsOf("CONNECTION_SECONDS", 30*time.Minute)
	config.BeforeConnect = func(ctx context.Context, connection *pgx.ConnConfig) (err error) {
		connection.Password, err = token(ctx) // called for each new connection
		return err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		panic(err)
	}
	return pool
}

func query(ctx context.Context, sql string) (value string, err error) {
	err = pool.QueryRow(ctx, sql).Scan(&value)
	return value, err
}

func closePool() {
	pool.Close()
}
