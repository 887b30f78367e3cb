package redisstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/redis/go-redis/v9"
)

// scripts are the kernel's, which are asked for once each.
type scripts struct {
	limits        sync.Map // of *redis.Script by donjon.LimitAlgorithm
	mu            sync.Mutex
	compareAndSet *redis.Script
}

func (s *scripts) of(limits *donjon.Limits) (*redis.Script, error) {
	if script, ok := s.limits.Load(limits.Algorithm()); ok {
		return script.(*redis.Script), nil
	}
	text, err := limits.Script()
	if err != nil {
		return nil, err
	}
	script, _ := s.limits.LoadOrStore(limits.Algorithm(), redis.NewScript(text))
	return script.(*redis.Script), nil
}

func (s *scripts) swap() (*redis.Script, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.compareAndSet == nil {
		text, err := donjon.CompareAndSetScript()
		if err != nil {
			return nil, err
		}
		s.compareAndSet = redis.NewScript(text)
	}
	return s.compareAndSet, nil
}

// A reply is what the script of limits answers.
type reply struct {
	outcome int64
	before  []byte
	now     time.Time
}

// The outcomes.
const (
	hasRefused = 0 // or only looked
	hasSpent   = 1
	isForeign  = 2 // the state is of other limits or damaged: nothing was decided
)

// run runs the script of limits on the state of a key.
func (s *Store) run(ctx context.Context, limits *donjon.Limits, key string, cost uint32) (reply, error) {
	script, err := s.scripts.of(limits)
	if err != nil {
		return reply{}, err
	}
	var now time.Time // the server's
	if s.clock != nil {
		now = s.clock()
	}
	texts, err := limits.ScriptArgs(cost, now)
	if err != nil {
		return reply{}, err
	}
	args := make([]any, len(texts))
	for i := range texts {
		args[i] = &texts[i] // which allocates nothing
	}
	answer, err := within(ctx, s.patient, func(ctx context.Context) (string, error) {
		return script.Run(ctx, s.client, []string{s.key(key)}, args...).Text()
	})
	if err != nil {
		return reply{}, err
	}
	return readReply(answer)
}

// readReply reads the outcome, u8; the time in milliseconds, u48; and the state before.
func readReply(answer string) (reply, error) {
	if len(answer) < 7 || answer[0] > isForeign {
		return reply{}, fmt.Errorf("redisstore: the script answered %d bytes that are not its own", len(answer))
	}
	var nowMS int64
	for _, b := range []byte(answer[1:7]) {
		nowMS = nowMS<<8 | int64(b)
	}
	return reply{int64(answer[0]), []byte(answer[7:]), time.UnixMilli(nowMS)}, nil
}

// swap replaces one state by another if it is still there, for so many milliseconds
// or, if ttl is empty, as long as before. It reports whether it did.
func (s *Store) swap(ctx context.Context, key string, before, after []byte, ttl string) (bool, error) {
	script, err := s.scripts.swap()
	if err != nil {
		return false, err
	}
	swapped, err := within(ctx, s.patient, func(ctx context.Context) (int64, error) {
		return script.Run(ctx, s.client, []string{s.key(key)}, before, after, ttl).Int64()
	})
	return swapped == 1, err
}
