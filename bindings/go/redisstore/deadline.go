package redisstore

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// isPatient reports whether a client may wait for an answer longer than the context
// allows. One of an unknown kind may.
func isPatient(client redis.UniversalClient) bool {
	switch client := client.(type) {
	case *redis.Client:
		return !client.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return !client.Options().ContextTimeoutEnabled
	case *redis.Ring:
		return !client.Options().ContextTimeoutEnabled
	default:
		return true
	}
}

// within calls until the context is done. What a patient client still waits for by
// then may yet happen at the server.
func within[T any](ctx context.Context, patient bool, call func(context.Context) (T, error)) (answer T, err error) {
	if !patient || ctx.Done() == nil {
		return call(ctx)
	}
	if err := ctx.Err(); err != nil {
		return answer, err
	}
	type outcome struct {
		answer T
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		answer, err := call(ctx)
		done <- outcome{answer, err}
	}()
	select {
	case outcome := <-done:
		return outcome.answer, outcome.err
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}
