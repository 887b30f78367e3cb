package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/redisstore"
	"github.com/redis/go-redis/v9"
)

// revocations refuse what was taken back: with REDIS_URL as the Python service has
// written it there, without as that service publishes it, signed.
type revocations struct {
	check    func(context.Context, *donjon.Claims) error
	sessions *donjon.SessionManager // nil where this service cannot know of any
}

// fetchEvery is short for the demo's sake.
const fetchEvery = 250 * time.Millisecond

func newRevocations(keys *keys, published string, log *slog.Logger) (*revocations, error) {
	url := os.Getenv("REDIS_URL")
	if url == "" {
		client, err := donjon.NewRevocationSetClient(keys.current, donjon.RevocationSetClientOptions{
			OfflineRevocationsOptions: donjon.OfflineRevocationsOptions{Logger: log},
			URL:                       published, AllowHTTP: true, Interval: fetchEvery,
		})
		if err != nil {
			return nil, err
		}
		return &revocations{check: client.Check}, nil
	}
	opts, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	opts.ContextTimeoutEnabled = true
	store := redisstore.NewRecords(redis.NewClient(opts), &redisstore.RecordsOptions{Prefix: os.Getenv("DEMO_PREFIX")})

	// Of the same master secret as the Python service's, so that both know the records.
	keyring, err := donjon.KeyringFromEnv(donjon.MasterEnv,
		donjon.Epoch{Purpose: donjon.PurposeDevice, Algorithm: donjon.HS256, Current: 1},
		donjon.Epoch{Purpose: donjon.PurposeCSRF, Algorithm: donjon.HS256, Current: 1})
	if err != nil {
		return nil, err
	}
	defer keyring.Close()
	manager, err := donjon.NewSessionManager(keyring, store, donjon.SessionManagerOptions{Logger: log})
	if err != nil {
		return nil, err
	}
	return &revocations{check: manager.Revocations().Check, sessions: manager}, nil
}
