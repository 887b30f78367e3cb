package redisstore

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// errReplica is that what was read may be of a while ago.
var errReplica = errors.New("redisstore: the server is a replica, which may not have heard of what was revoked")

// isPrimary refuses a server that is a replica: one that a failover client reads from on
// purpose, or that was the primary until somebody else became it. It is asked before the
// first reading, and again once it has refused to be written to: whoever reads writes as
// well, the marker, about once a second. A server that does not say, is believed. On a
// cluster, a replica sends who asks to its primary.
func (r *Records) isPrimary(ctx context.Context) error {
	client, one := r.client.(*redis.Client)
	if !one || r.primary.Load() {
		return nil
	}
	role, err := roleOf(ctx, client)
	var refused redis.Error
	switch {
	case err != nil && !errors.As(err, &refused):
		return err
	case role == "replica", role == "slave":
		return errReplica
	default:
		r.primary.Store(true)
		return nil
	}
}

// roleOf returns what a server says that it is, by HELLO, which needs no permission.
func roleOf(ctx context.Context, client *redis.Client) (any, error) {
	hello, err := client.Do(ctx, "hello").Result()
	switch hello := hello.(type) {
	case map[any]any:
		return hello["role"], err
	case []any: // of names and values, by the older protocol
		for i := 0; i+1 < len(hello); i += 2 {
			if hello[i] == "role" {
				return hello[i+1], err
			}
		}
	}
	return nil, err
}

// heard looks for the refusal of a server that has become a replica.
func (r *Records) heard(err error) {
	if err != nil && strings.Contains(err.Error(), "READONLY") {
		r.primary.Store(false)
	}
}
