package redisstore_test

import (
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/storetest"
	"github.com/donjon-security/donjon/bindings/go/redisstore"
	"github.com/redis/go-redis/v9"
)

func TestRecords(t *testing.T) {
	for name, open := range map[string]func(t testing.TB) redis.UniversalClient{
		"one server": func(t testing.TB) redis.UniversalClient { return start(t).client(nil) },
		"a patient client": func(t testing.TB) redis.UniversalClient {
			return start(t).client(func(o *redis.Options) { o.ContextTimeoutEnabled = false })
		},
		"a cluster": func(t testing.TB) redis.UniversalClient { return cluster(t) },
	} {
		t.Run(name, func(t *testing.T) {
			client := open(t)
			storetest.Records(t, func(t testing.TB) donjon.RecordStore {
				return redisstore.NewRecords(client, &redisstore.RecordsOptions{Prefix: "test [*]:" + t.Name() + ":"})
			})
		})
	}
}
