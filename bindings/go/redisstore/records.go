package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/redis/go-redis/v9"
)

// Records is a [donjon.RecordStore] and a [donjon.RecordScanner]. It is safe for
// concurrent use.
type Records struct {
	client  redis.UniversalClient
	opts    RecordsOptions
	scripts scripts
	patient bool
	primary atomic.Bool // as far as is known
}

// RecordsOptions are the optional parts of [Records].
type RecordsOptions struct {
	// Prefix is what the keys in Redis begin with; if empty, "donjon:". Services that
	// share sessions share it, in whatever language they are written.
	Prefix string

	// WaitReplicas is how many replicas have to acknowledge each write, within
	// WaitTimeout: in whole milliseconds; if zero, 100. Otherwise a write is
	// [donjon.ErrStoreUnavailable]: it has happened, and a fail-over may lose it. If
	// WaitReplicas is zero, every fail-over may lose the last writes.
	WaitReplicas int
	WaitTimeout  time.Duration
}

// DefaultRecordsPrefix is [RecordsOptions.Prefix] if that is empty.
const DefaultRecordsPrefix = "donjon:"

const defaultWaitTimeout = 100 * time.Millisecond

// NewRecords makes a store of a client, which may be one of a cluster. The client stays
// the caller's to close, is not nil, and always asks the server that was written to: not
// a replica, which may not have heard yet of what was revoked, and not another one while
// that is down, as a [redis.Ring] does. A server that says that it is a replica is
// [donjon.ErrStoreUnavailable]. A nil opts means the zero [RecordsOptions].
func NewRecords(client redis.UniversalClient, opts *RecordsOptions) *Records {
	if client == nil {
		panic("redisstore: no client")
	}
	switch client := client.(type) {
	case *redis.ClusterClient:
		if client.Options().ReadOnly {
			panic("redisstore: a client that reads from replicas, which may not have heard of what was revoked")
		}
	case *redis.Ring:
		panic("redisstore: a ring asks another server when one is down, which has not heard of what was revoked")
	}
	if opts == nil {
		opts = new(RecordsOptions)
	}
	if opts.WaitReplicas < 0 || opts.WaitTimeout < 0 || opts.WaitTimeout%time.Millisecond != 0 {
		panic("redisstore: a negative number of replicas, or a time to wait for them that is not in milliseconds")
	}
	r := &Records{client: client, opts: *opts, patient: isPatient(client)}
	if r.opts.Prefix == "" {
		r.opts.Prefix = DefaultRecordsPrefix
	}
	if r.opts.WaitTimeout == 0 {
		r.opts.WaitTimeout = defaultWaitTimeout
	}
	return r
}

var (
	_ donjon.RecordStore   = (*Records)(nil)
	_ donjon.RecordScanner = (*Records)(nil)
)

// GetMany implements [donjon.RecordStore]: by one MGET or, on a cluster, by one round
// trip to each of its nodes that has keys.
func (r *Records) GetMany(ctx context.Context, keys []string) ([][]byte, error) {
	if !r.made() {
		return nil, donjon.ErrClosed
	}
	if len(keys) == 0 {
		return nil, nil
	}
	stored := make([]string, len(keys))
	for i, key := range keys {
		stored[i] = r.opts.Prefix + key
	}
	get := r.pipelined
	if _, one := r.client.(*redis.Client); one && len(keys) > 1 {
		get = r.mget
	}
	values, err := within(ctx, r.patient, func(ctx context.Context) ([][]byte, error) {
		if err := r.isPrimary(ctx); err != nil {
			return nil, err
		}
		return get(ctx, stored)
	})
	if err != nil {
		return nil, failure(err)
	}
	return values, nil
}

func (r *Records) mget(ctx context.Context, keys []string) ([][]byte, error) {
	answers, err := r.client.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, err
	}
	if len(answers) != len(keys) {
		return nil, fmt.Errorf("redisstore: %d values of %d keys", len(answers), len(keys))
	}
	values := make([][]byte, len(keys))
	for i, answer := range answers {
		switch value := answer.(type) {
		case nil:
		case string:
			values[i] = []byte(value)
		default:
			return nil, fmt.Errorf("redisstore: a value that is a %T", answer)
		}
	}
	return values, nil
}

func (r *Records) pipelined(ctx context.Context, keys []string) ([][]byte, error) {
	return getAll(ctx, r.client, keys)
}

// getAll gets the values of keys, wherever on a cluster they are.
func getAll(ctx context.Context, client redis.Cmdable, keys []string) ([][]byte, error) {
	commands := make([]*redis.StringCmd, len(keys))
	_, err := client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, key := range keys {
			commands[i] = pipe.Get(ctx, key)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	values := make([][]byte, len(keys))
	for i, command := range commands {
		value, err := command.Bytes()
		switch {
		case err == nil:
			values[i] = value
		case !errors.Is(err, redis.Nil):
			return nil, err
		}
	}
	return values, nil
}

// Replace implements [donjon.RecordStore], by the kernel's script.
func (r *Records) Replace(ctx context.Context, key string, before, after []byte, keep time.Duration) (bool, error) {
	if !r.made() {
		return false, donjon.ErrClosed
	}
	if keep <= 0 && len(after) > 0 {
		return false, donjon.ErrInvalidArgument
	}
	script, err := r.scripts.swap()
	if err != nil {
		return false, failure(err)
	}
	args := []any{before, after, strconv.FormatInt(max(keep.Milliseconds(), 1), 10)}
	swapped, err := within(ctx, r.patient, func(ctx context.Context) (int64, error) {
		if r.opts.WaitReplicas == 0 {
			return script.Run(ctx, r.client, []string{r.opts.Prefix + key}, args...).Int64()
		}
		return r.acknowledged(ctx, script, r.opts.Prefix+key, args)
	})
	if err != nil {
		r.heard(err)
		return false, failure(err)
	}
	return swapped == 1, nil
}

// WaitsForReplicas reports whether each write waits until replicas have it.
func (r *Records) WaitsForReplicas() bool { return r.made() && r.opts.WaitReplicas > 0 }

// made reports whether the store is one that [NewRecords] has made.
func (r *Records) made() bool { return r != nil && r.client != nil }
