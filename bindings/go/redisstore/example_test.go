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
