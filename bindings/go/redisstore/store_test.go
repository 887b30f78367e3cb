package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/redisstore"
	"github.com/redis/go-redis/v9"
)

func TestExactlyTheLimitIsAllowedInParallel(t *testing.T) {
	client := start(t).client(nil)
	store := redisstore.New(client, nil)
	for algorithm, limits := range fiveOf(t) {
		var allowed atomic.Int32
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				verdict, err := store.Spend(t.Context(), limits, "key of "+string(algorithm), 1)
				if err != nil {
					t.Error(err)
				}
				if verdict.Allowed {
					allowed.Add(1)
				}
			})
		}
		group.Wait()
		equal(t, string(algorithm), allowed.Load(), 5)
		key := redisstore.DefaultPrefix + "{key of " + string(algorithm) + "}"
		if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > 2*time.Hour+time.Second {
			t.Errorf("%s: %s lives for %v", algorithm, key, ttl)
		}
	}
}

// What Redis decides is what the kernel decides, at any time and cost.
func TestTheScriptAndTheKernelAgree(t *testing.T) {
	client := start(t).client(nil)
	now := time.UnixMilli(1_700_000_000_000)
	store := redisstore.New(client, &redisstore.Options{Prefix: "test:", Clock: func() time.Time { return now }})
	lists := fiveOf(t)
	lists["a list"] = parse(t, "3/second; 7/10 second; 100/day")
	for name, limits := range lists {
		key := string(name)
		var state []byte
		var spent []donjon.Verdict
		random := rand.New(rand.NewPCG(5, uint64(len(name))))
		for range 400 {
			now = now.Add(time.Duration(random.IntN(2_000_000)-100_000) * time.Millisecond)
			if random.IntN(3) > 0 {
				now = now.Add(-time.Duration(random.IntN(1_000_000)) * time.Millisecond)
			}
			cost := uint32(random.IntN(4))
			if random.IntN(20) == 0 {
				cost = 1 << 31
			}
			want, next, err := limits.Spend(state, now, cost)
			ok(t, err)
			got, err := store.Spend(t.Context(), limits, key, cost)
			ok(t, err)
			equal(t, key, got, want)
			if want.Allowed && cost == 1 {
				spent = append(spent, want)
			}
			if len(spent) > 0 && random.IntN(4) == 0 {
				last := spent[len(spent)-1]
				spent = spent[:len(spent)-1]
				next, err = limits.GiveBack(next, last.At, now, 1)
				ok(t, err)
				ok(t, store.GiveBack(t.Context(), limits, key, last.At, 1))
			}
			stored, err := client.Get(t.Context(), "test:{"+key+"}").Bytes()
			if err != nil && !errors.Is(err, redis.Nil) {
				t.Fatal(err)
			}
			state = next
			if err == nil && !bytes.Equal(stored, next) {
				t.Fatalf("%s: stored %x, want %x", key, stored, next)
			}
			state = stored // which the server may have expired
		}
	}
}

// Attack 45.
func TestTwoClientsThatRaceNeverGetMoreThanTheLimit(t *testing.T) {
	trials := 10_000
	if testing.Short() {
		trials = 500
	}
	s := start(t)
	limits := parse(t, "3/hour")
	const racers = 2
	var counts [racers]func(key string) int
	for i := range counts {
		store := redisstore.New(s.client(nil), nil)
		counts[i] = func(key string) (allowed int) {
			for range 3 {
				verdict, err := store.Spend(t.Context(), limits, key, 1)
				if err != nil {
					t.Error(err)
				}
				if verdict.Allowed {
					allowed++
				}
			}
			return allowed
		}
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for trial := worker; trial < trials; trial += 4 {
				key := fmt.Sprint(trial)
				other := make(chan int)
				go func() { other <- counts[1](key) }()
				if sum := counts[0](key) + <-other; sum != 3 {
					t.Errorf("trial %d: %d were allowed", trial, sum)
				}
			}
		})
	}
	group.Wait()
	client := s.client(nil)
	keys, err := client.DBSize(t.Context()).Result()
	ok(t, err)
	equal(t, "keys", keys, int64(trials))
	info := client.Info(t.Context(), "keyspace").Val()
	if !strings.Contains(info, fmt.Sprintf("keys=%d,expires=%d,", trials, trials)) {
		t.Errorf("a key without a time to live: %s", info)
	}
}

func TestStoreGivesBackAndForgets(t *testing.T) {
	client := start(t).client(nil)
	store := redisstore.New(client, nil)
	for algorithm, limits := range fiveOf(t) {
		key := string(algorithm)
		verdict, err := store.Spend(t.Context(), limits, key, 5)
		ok(t, err)
		if !verdict.Allowed || time.Since(verdict.At).Abs() > time.Minute {
			t.Errorf("%s: %+v", key, verdict)
		}
		ok(t, store.GiveBack(t.Context(), limits, key, verdict.At, 2))
		peek, err := store.Spend(t.Context(), limits, key, 0)
		ok(t, err)
		equal(t, key+": remaining", peek.Remaining, 2)
		ok(t, store.GiveBack(t.Context(), limits, "nobody", verdict.At, 2))
		ok(t, store.Forget(t.Context(), key))
		ok(t, store.Forget(t.Context(), key))
		peek, err = store.Spend(t.Context(), limits, key, 0)
		ok(t, err)
		equal(t, key+": remaining", peek.Remaining, 5)
	}
	equal(t, "keys that are left", client.DBSize(t.Context()).Val(), 0)
}

func TestParallelGivingBackLosesNothing(t *testing.T) {
	store := redisstore.New(start(t).client(nil), nil)
	limits := parse(t, "1000/hour")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				verdict, err := store.Spend(t.Context(), limits, "key", 3)
				if err == nil {
					err = store.GiveBack(t.Context(), limits, "key", verdict.At, 3)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	peek, err := store.Spend(t.Context(), limits, "key", 0)
	ok(t, err)
	if peek.Remaining < 999 { // which time alone does not give back so soon
		t.Errorf("%d are left", peek.Remaining)
	}
}

func TestOtherLimitsUnderTheSameKeyRefillNothing(t *testing.T) {
	client := start(t).client(nil)
	store := redisstore.New(client, nil)
	for from, before := range fiveOf(t) {
		for to, after := range fiveOf(t) {
			if from == to {
				continue
			}
			key := string(from + ">" + to)
			_, err := store.Spend(t.Context(), before, key, 5)
			ok(t, err)
			peek, err := store.Spend(t.Context(), after, key, 0)
			ok(t, err)
			equal(t, key+": remaining", peek.Remaining, 0)
			verdict, err := store.Spend(t.Context(), after, key, 1)
			ok(t, err)
			if verdict.Allowed {
				t.Errorf("%s: refilled", key)
			}
			if ttl := client.PTTL(t.Context(), redisstore.DefaultPrefix+"{"+key+"}").Val(); ttl <= 0 {
				t.Errorf("%s: lives for %v", key, ttl)
			}
		}
	}
}

func TestDamagedStatesRefillNothingAndAreReplaced(t *testing.T) {
	client := start(t).client(nil)
	store := redisstore.New(client, nil)
	random := rand.New(rand.NewPCG(6, 7))
	for algorithm, limits := range fiveOf(t) {
		for length := 1; length < 60; length++ {
			garbage := make([]byte, length)
			for i := range garbage {
				garbage[i] = byte(random.Uint32())
			}
			key := fmt.Sprint(algorithm, length)
			ok(t, client.Set(t.Context(), redisstore.DefaultPrefix+"{"+key+"}", garbage, 0).Err())
			verdict, err := store.Spend(t.Context(), limits, key, 1)
			ok(t, err)
			if verdict.Allowed {
				t.Errorf("%s: allowed by %x", algorithm, garbage)
			}
			if ttl := client.PTTL(t.Context(), redisstore.DefaultPrefix+"{"+key+"}").Val(); ttl <= 0 {
				t.Errorf("%s: %x lives for %v", algorithm, garbage, ttl)
			}
			ok(t, store.GiveBack(t.Context(), limits, key, verdict.At, 1))
		}
	}
}

func TestAKeyOfAnotherTypeIsAFailureOfTheStore(t *testing.T) {
	client := start(t).client(nil)
	store := redisstore.New(client, nil)
	ok(t, client.LPush(t.Context(), redisstore.DefaultPrefix+"{key}", "a").Err())
	limits := parse(t, "5/hour")
	_, err := store.Spend(t.Context(), limits, "key", 1)
	if !errors.Is(err, donjon.ErrStoreUnavailable) || !strings.Contains(err.Error(), "WRONGTYPE") {
		t.Errorf("spent: %v", err)
	}
	if err := store.GiveBack(t.Context(), limits, "key", time.Now(), 1); !errors.Is(err, donjon.ErrStoreUnavailable) {
		t.Errorf("given back: %v", err)
	}
}

func TestScriptsThatTheServerHasForgottenAreSentAgain(t *testing.T) {
	client := start(t).client(nil)
	store := redisstore.New(client, nil)
	limits := parse(t, "1000/hour")
	for range 20 {
		ok(t, client.ScriptFlush(t.Context()).Err())
		verdict, err := store.Spend(t.Context(), limits, "key", 1)
		ok(t, err)
		ok(t, client.ScriptFlush(t.Context()).Err())
		ok(t, store.GiveBack(t.Context(), limits, "key", verdict.At, 1))
	}
	verdict, err := store.Spend(t.Context(), limits, "key", 1000)
	ok(t, err)
	equal(t, "allowed", verdict.Allowed, true)
}

func TestStoreWorksOnACluster(t *testing.T) {
	client := cluster(t)
	store := redisstore.New(client, nil)
	limiter := &donjon.Limiter{Store: store, Report: func(_ context.Context, err error) { t.Error(err) }}
	for algorithm, limits := range fiveOf(t) {
		for i := range 20 { // in as many slots
			key := fmt.Sprintf("%s}{%d", algorithm, i)
			result, err := limiter.AllowAll(t.Context(),
				donjon.Charge{Limits: limits, Key: key, Cost: 3}, donjon.Charge{Limits: limits, Key: key + "'", Cost: 5})
			ok(t, err)
			equal(t, "allowed", result.Allowed, 5)
			result, err = limiter.AllowAll(t.Context(),
				donjon.Charge{Limits: limits, Key: key, Cost: 1}, donjon.Charge{Limits: limits, Key: key + "'", Cost: 1})
			ok(t, err)
			equal(t, "allowed", result.Allowed, 0)
			peek, err := limiter.Peek(t.Context(), limits, key)
			ok(t, err)
			equal(t, "remaining", peek.Remaining, 2)
			ok(t, limiter.Forget(t.Context(), key))
		}
	}
}

func TestNoStoreRefuses(t *testing.T) {
	limits := parse(t, "5/hour")
	for _, store := range []*redisstore.Store{nil, new(redisstore.Store)} {
		if verdict, err := store.Spend(t.Context(), limits, "key", 1); !errors.Is(err, donjon.ErrClosed) || verdict.Allowed {
			t.Errorf("spent: %v", err)
		}
		if err := store.GiveBack(t.Context(), limits, "key", time.Now(), 1); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("given back: %v", err)
		}
		if err := store.Forget(t.Context(), "key"); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("forgotten: %v", err)
		}
	}
	store := redisstore.New(start(t).client(nil), nil)
	for _, none := range []*donjon.Limits{nil, new(donjon.Limits)} {
		if verdict, err := store.Spend(t.Context(), none, "key", 1); !errors.Is(err, donjon.ErrClosed) || verdict.Allowed {
			t.Errorf("of no limits: %v", err)
		}
	}
	early := redisstore.New(start(t).client(nil), &redisstore.Options{Clock: func() time.Time { return time.UnixMilli(-1) }})
	if _, err := early.Spend(t.Context(), limits, "key", 1); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("before 1970: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a store of no client")
		}
	}()
	redisstore.New(nil, nil)
}

func TestTwoLimitsThatAlternateUnderOneKeyComeToAnEnd(t *testing.T) {
	store := redisstore.New(start(t).client(nil), nil)
	lists := []*donjon.Limits{parse(t, "100/hour"), limitsOf(t, donjon.LimitsOptions{Limits: "90/hour", Algorithm: donjon.FixedWindow})}
	var allowed atomic.Int32
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for range 40 {
				verdict, err := store.Spend(t.Context(), lists[worker%2], "key", 1)
				if err != nil {
					t.Error(err)
				}
				if verdict.Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	group.Wait()
	if n := allowed.Load(); n == 0 || n > 100 {
		t.Errorf("%d were allowed", n)
	}
}
