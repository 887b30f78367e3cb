package main

import (
	"log/slog"
	"os"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/redisstore"
	"github.com/redis/go-redis/v9"
)

// limits are what requests are counted by: where, of how many, and from where.
type limits struct {
	limiter       *donjon.Limiter
	sessionCreate *donjon.Limits
	proxies       *donjon.Proxies
}

func newLimits(log *slog.Logger) (*limits, error) {
	limiter, err := newLimiter(log)
	if err != nil {
		return nil, err
	}
	sessionCreate, err := donjon.LimitProfile("session-cluster/session_create")
	if err != nil {
		return nil, err
	}
	// The proxy before both services is the walk-through, and this is the header
	// that it writes.
	proxies, err := donjon.NewProxies(donjon.ProxiesOptions{
		Header: donjon.XForwardedFor, Trusted: []string{"127.0.0.1"},
	})
	return &limits{limiter, sessionCreate, proxies}, err
}

// newLimiter counts in this process or, with REDIS_URL, where the Python service
// counts as well; and in this process again while Redis is down.
func newLimiter(log *slog.Logger) (*donjon.Limiter, error) {
	table, err := donjon.NewLimitTable(donjon.LimitTableOptions{})
	if err != nil {
		return nil, err
	}
	url := os.Getenv("REDIS_URL")
	if url == "" {
		return &donjon.Limiter{Store: table, Logger: log}, nil
	}
	opts, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	opts.ContextTimeoutEnabled = true
	store := redisstore.New(redis.NewClient(opts), &redisstore.Options{Prefix: os.Getenv("DEMO_PREFIX")})
	return &donjon.Limiter{Store: store, OnFailure: donjon.FallBackTo(table), Logger: log}, nil
}
