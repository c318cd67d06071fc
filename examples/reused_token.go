package main

import (
	"context"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
)

// RDS accepts a token for 15 minutes, and not after the credentials that it was signed with have expired.
const margin = time.Minute

// secondsOf is a duration in a variable.
func secondsOf(variable string, fallback time.Duration) time.Duration {
	if seconds, err := strconv.ParseFloat(os.Getenv(variable), 64); err == nil {
		return time.Duration(seconds * float64(time.Second))
	}
	return fallback
}

// reusedToken returns what a pool calls for the password of each new connection: it signs only when the token gets old.
// RDS throttles new connections, but not those with the same token.
func reusedToken(host, port, user string) func(context.Context) (string, error) {
	reuse := secondsOf("TOKEN_REUSE_SECONDS", 10*time.Minute)
	settings, settingsErr := config.LoadDefaultConfig(context.Background())
	var lock sync.Mutex
	var token string
	var renewAt time.Time
	return func(ctx context.Context) (string, error) {
		lock.Lock()
		defer lock.Unlock()
		if settingsErr != nil || time.Now().Before(renewAt) {
			return token, settingsErr
		}
		now, err := settings.Credentials.Retrieve(ctx)
		if err != nil {
			return "", err
		}
		renewed := time.Now().Add(reuse)
		if until := now.Expires.Add(-margin); now.CanExpire && until.Before(renewed) {
			renewed = until
		}
		provider := credentials.StaticCredentialsProvider{Value: now}
		token, err = auth.BuildAuthToken(ctx, host+":"+port, settings.Region, user, provider)
		if err == nil {
			renewAt = renewed
		}
		return token, err
	}
}
