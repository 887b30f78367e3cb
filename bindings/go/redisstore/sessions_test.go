package redisstore_test

import (
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/storetest"
	"github.com/donjon-security/donjon/bindings/go/redisstore"
	"github.com/redis/go-redis/v9"
)

// onServers runs a suite on a store of each kind of server.
func onServers(t *testing.T, suite func(*testing.T, storetest.Open)) {
	for name, open := range map[string]func(t testing.TB) redis.UniversalClient{
		"one server": func(t testing.TB) redis.UniversalClient { return start(t).client(nil) },
		"a cluster":  func(t testing.TB) redis.UniversalClient { return cluster(t) },
	} {
		t.Run(name, func(t *testing.T) {
			client := open(t)
			suite(t, func(t testing.TB) donjon.RecordStore {
				return redisstore.NewRecords(client, &redisstore.RecordsOptions{Prefix: t.Name() + ":"})
			})
		})
	}
}

func TestSessions(t *testing.T)    { onServers(t, storetest.Sessions) }
func TestRevocations(t *testing.T) { onServers(t, storetest.Revocations) }
