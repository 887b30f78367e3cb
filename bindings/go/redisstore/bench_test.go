package redisstore_test

import (
	"testing"

	"github.com/donjon-security/donjon/bindings/go/redisstore"
)

func BenchmarkSpend(b *testing.B) {
	store := redisstore.New(start(b).client(nil), nil)
	limits := parse(b, "1000000/second")
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if verdict, err := store.Spend(b.Context(), limits, "key", 1); err != nil || !verdict.Allowed {
				b.Error(verdict, err)
			}
		}
	})
}
