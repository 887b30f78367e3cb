package redisstore_test

import (
	"log"
	"net/http"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/redisstore"
	"github.com/redis/go-redis/v9"
)

// Any number of processes share their limits; while Redis is down, each has its own.
func Example() {
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: []string{"localhost:6379"}, ContextTimeoutEnabled: true,
	})
	table, err := donjon.NewLimitTable(donjon.LimitTableOptions{})
	if err != nil {
		log.Fatal(err)
	}
	limiter := &donjon.Limiter{Store: redisstore.New(client, nil), OnFailure: donjon.FallBackTo(table)}

	limited := donjon.RateLimit(limiter, donjon.RateLimitOptions{Limits: donjon.MustParseLimits("100/minute")})
	log.Fatal(http.ListenAndServe("localhost:8080", limited(http.DefaultServeMux)))
}

// Any number of services share their users' sessions, in whatever language they are
// written, if they have the same keyring: who is logged out in one is out in all.
func ExampleNewRecords() {
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: []string{"localhost:6379"}, ContextTimeoutEnabled: true,
	})
	keys, err := donjon.KeyringFromEnv(donjon.MasterEnv,
		donjon.Epoch{Purpose: donjon.PurposeToken, Algorithm: donjon.EdDSA, Current: 1},
		donjon.Epoch{Purpose: donjon.PurposeDevice, Algorithm: donjon.HS256, Current: 1},
		donjon.Epoch{Purpose: donjon.PurposeCSRF, Algorithm: donjon.HS256, Current: 1})
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := donjon.NewSessionManager(keys, redisstore.NewRecords(client, nil), donjon.SessionManagerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	guarded := donjon.RequireSession(sessions, nil)
	log.Fatal(http.ListenAndServe("localhost:8080", guarded(http.DefaultServeMux)))
}
