package redisstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/redis/go-redis/v9"
)

// A Store is a [donjon.LimitStore]. It is safe for concurrent use.
type Store struct {
	client  redis.UniversalClient
	prefix  string
	clock   func() time.Time
	scripts scripts
	patient bool // the client takes no notice of the context's deadline
}

// Options are the optional parts of a [Store].
type Options struct {
	// Prefix is what the keys in Redis begin with; if empty, "donjon:limit:". A key k
	// is Prefix + "{" + k + "}" there.
	Prefix string

	// Clock decides in place of the server's clock. All processes that share a
	// server need to agree about it.
	Clock func() time.Time
}

// DefaultPrefix is [Options.Prefix] if that is empty.
const DefaultPrefix = "donjon:limit:"

// New makes a store of a client, which may be one of a cluster. The client stays the
// caller's to close, and is not nil. A nil opts means the zero [Options].
func New(client redis.UniversalClient, opts *Options) *Store {
	if client == nil {
		panic("redisstore: no client")
	}
	if opts == nil {
		opts = new(Options)
	}
	prefix := opts.Prefix
	if prefix == "" {
		prefix = DefaultPrefix
	}
	return &Store{client: client, prefix: prefix, clock: opts.Clock, patient: isPatient(client)}
}

var _ donjon.LimitStore = (*Store)(nil)

// rounds is how often a state is decided on anew because another process has changed
// it in between: a few times at once, then after pauses.
const (
	rounds      = 48
	hastyRounds = 4
	step        = 250 * time.Microsecond // by which pauses become longer
)

// errContended is that they were not enough.
var errContended = errors.New("redisstore: the key is being changed too often")

// Spend implements [donjon.LimitStore].
func (s *Store) Spend(ctx context.Context, limits *donjon.Limits, key string, cost uint32) (donjon.Verdict, error) {
	if !s.made() {
		return donjon.Verdict{}, donjon.ErrClosed
	}
	verdict, err := s.spend(ctx, limits, key, cost)
	if err != nil {
		return donjon.Verdict{}, failure(err)
	}
	return verdict, nil
}

func (s *Store) spend(ctx context.Context, limits *donjon.Limits, key string, cost uint32) (donjon.Verdict, error) {
	for round := range rounds {
		if err := pause(ctx, round); err != nil {
			return donjon.Verdict{}, err
		}
		reply, err := s.run(ctx, limits, key, cost)
		if err != nil {
			return donjon.Verdict{}, err
		}
		verdict, next, err := limits.Spend(reply.before, reply.now, cost)
		if err != nil {
			return donjon.Verdict{}, err
		}
		switch {
		case cost == 0:
			return verdict, nil
		case reply.outcome == isForeign:
			// What the kernel makes of it is stored even if it is a refusal: a damaged
			// state would refuse for as long as it is there.
			swapped, err := s.replace(ctx, key, reply, next, verdict)
			if err != nil || swapped {
				return verdict, err
			}
		case verdict.Allowed != (reply.outcome == hasSpent):
			return donjon.Verdict{}, fmt.Errorf("%w: the script and the kernel disagree", donjon.ErrInternal)
		default:
			return verdict, nil
		}
	}
	return donjon.Verdict{}, errContended
}

// GiveBack implements [donjon.LimitStore].
func (s *Store) GiveBack(ctx context.Context, limits *donjon.Limits, key string, spentAt time.Time, cost uint32) error {
	if !s.made() {
		return donjon.ErrClosed
	}
	return failure(s.giveBack(ctx, limits, key, spentAt, cost))
}

func (s *Store) giveBack(ctx context.Context, limits *donjon.Limits, key string, spentAt time.Time, cost uint32) error {
	for round := range rounds {
		if err := pause(ctx, round); err != nil {
			return err
		}
		reply, err := s.run(ctx, limits, key, 0)
		if err != nil {
			return err
		}
		if reply.outcome == isForeign {
			if err := s.convert(ctx, limits, key, reply); err != nil {
				return err
			}
			continue
		}
		next, err := limits.GiveBack(reply.before, spentAt, reply.now, cost)
		if err != nil || bytes.Equal(next, reply.before) {
			return err
		}
		swapped, err := s.swap(ctx, key, reply.before, next, "")
		if err != nil || swapped {
			return err
		}
	}
	return errContended
}

// pause waits for others to be done, the longer the more rounds there were.
func pause(ctx context.Context, round int) error {
	if round < hastyRounds {
		return nil
	}
	wait := time.NewTimer(rand.N(time.Duration(round) * step))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// convert makes a state that is of other limits, or damaged, one of limits, so that
// nothing is had back by it. That another process has changed it first is no error.
func (s *Store) convert(ctx context.Context, limits *donjon.Limits, key string, found reply) error {
	verdict, converted, err := limits.Spend(found.before, found.now, 0)
	if err != nil {
		return err
	}
	_, err = s.replace(ctx, key, found, converted, verdict)
	return err
}

// replace stores what a verdict has made of a state that was found, for as long as
// the verdict says.
func (s *Store) replace(ctx context.Context, key string, found reply, next []byte, v donjon.Verdict) (bool, error) {
	keep := max(v.Keep.Milliseconds(), 1)
	return s.swap(ctx, key, found.before, next, strconv.FormatInt(keep, 10))
}

// Forget implements [donjon.LimitStore].
func (s *Store) Forget(ctx context.Context, key string) error {
	if !s.made() {
		return donjon.ErrClosed
	}
	_, err := within(ctx, s.patient, func(ctx context.Context) (int64, error) { return s.client.Del(ctx, s.key(key)).Result() })
	return failure(err)
}

// made reports whether the store is one that [New] has made.
func (s *Store) made() bool { return s != nil && s.client != nil }

// key is where the state of a key is in Redis.
func (s *Store) key(key string) string { return s.prefix + "{" + key + "}" }

// failure is err as [donjon.ErrStoreUnavailable], unless it is the caller's.
func failure(err error) error {
	if err == nil || errors.Is(err, donjon.ErrClosed) || errors.Is(err, donjon.ErrInvalidArgument) {
		return err
	}
	return fmt.Errorf("%w: %w", donjon.ErrStoreUnavailable, err)
}
