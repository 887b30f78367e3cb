package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/redisstore"
	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
	"github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/store/memory"
	"golang.org/x/time/rate"
)

const (
	limitKeys    = 100_000
	limitPerHour = 50
	redisRounds  = 12
	redisRound   = 400 * time.Millisecond
)

// measureLimits spends of 100,000 keys in no order: in one process, and in Redis.
func measureLimits() {
	ctx := context.Background()
	keys := limitedKeys()
	gcra := must(donjon.ParseLimits(fmt.Sprintf("%d/hour", limitPerHour)))
	window := must(donjon.NewLimits(donjon.LimitsOptions{
		Limits: fmt.Sprintf("%d/hour", limitPerHour), Algorithm: donjon.FixedWindow,
	}))
	keyed := keyedRate{limiters: map[string]*rate.Limiter{}}
	ulule := limiter.New(memory.NewStore(), limiter.Rate{Period: time.Hour, Limit: limitPerHour})
	hit := func(key string) bool { return !must(ulule.Get(ctx, key)).Reached }

	ours := func(limits *donjon.Limits) func(string) bool {
		table := must(donjon.NewLimitTable(donjon.LimitTableOptions{Capacity: 2 * limitKeys}))
		return func(key string) bool { return table.Allow(limits, key) }
	}
	for _, peer := range []struct {
		algorithm, name string
		ours, allow     func(key string) bool
	}{
		{"gcra", "x/time/rate " + version("golang.org/x/time") + ", map and mutex", ours(gcra), keyed.allow},
		{"fixed window", "ulule/limiter " + version("github.com/ulule/limiter/v3") + " memory", ours(window), hit},
	} {
		letThroughAlike(peer.ours, peer.allow)
		for _, key := range keys {
			if !peer.ours(key) || !peer.allow(key) {
				panic("a fresh key is refused")
			}
		}
		ourKeys, peerKeys := inTurn(keys), inTurn(keys)
		report("limits "+peer.algorithm+" in process, 100,000 keys", peer.name, nil,
			func() { peer.ours(ourKeys()) }, func() { peer.allow(peerKeys()) })
	}
	measureLimitsInRedis(ctx, gcra, keys)
}

func measureLimitsInRedis(ctx context.Context, limits *donjon.Limits, keys []string) {
	address, stop := startRedis(ctx)
	defer stop()
	client := redis.NewClient(&redis.Options{Addr: address, PoolSize: 64})
	defer client.Close()
	store := redisstore.New(client, nil)
	peer, peerLimit := redis_rate.NewLimiter(client), redis_rate.PerHour(limitPerHour)
	ours := func(key string) bool { return must(store.Spend(ctx, limits, key, 1)).Allowed }
	theirs := func(key string) bool { return must(peer.Allow(ctx, key, peerLimit)).Allowed > 0 }
	letThroughAlike(ours, theirs)

	wanted := 1.0
	for _, workers := range []int{1, 16, 64} {
		oursNS, peerNS := math.Inf(1), math.Inf(1)
		for range redisRounds {
			oursNS = min(oursNS, perRequest(ours, keys, workers))
			peerNS = min(peerNS, perRequest(theirs, keys, workers))
		}
		reportTimes(fmt.Sprintf("limits redis gcra, %d at once", workers),
			"redis_rate "+version("github.com/go-redis/redis_rate/v10"), &wanted, oursNS, peerNS)
	}
}

// keyedRate is a limiter for each key, as it is usually written.
type keyedRate struct {
	mu       sync.Mutex
	limiters map[string]*rate.Limiter
}

func (k *keyedRate) allow(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	one, ok := k.limiters[key]
	if !ok {
		one = rate.NewLimiter(rate.Every(time.Hour/limitPerHour), limitPerHour)
		k.limiters[key] = one
	}
	return one.Allow()
}

func letThroughAlike(ours, peer func(key string) bool) {
	for range limitPerHour + 10 {
		if ours("somebody") != peer("somebody") {
			panic("they do not let through the same")
		}
	}
}

// limitedKeys are addresses, the same in each run, in no order.
func limitedKeys() []string {
	chance := rand.New(rand.NewPCG(5, 5))
	keys := make([]string, limitKeys)
	for i, n := range chance.Perm(1 << 24)[:limitKeys] {
		keys[i] = fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)
	}
	return keys
}

func inTurn(keys []string) func() string {
	next := 0
	return func() string {
		next = (next + 1) % len(keys)
		return keys[next]
	}
}

// perRequest is how many nanoseconds a request takes, of all workers together.
func perRequest(call func(key string) bool, keys []string, workers int) float64 {
	var done atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for worker := range workers {
		all.Go(func() {
			at := worker * len(keys) / workers
			for time.Since(start) < redisRound {
				call(keys[at%len(keys)])
				at++
				done.Add(1)
			}
		})
	}
	all.Wait()
	return float64(time.Since(start)) / float64(done.Load())
}

// startRedis starts a redis-server on a free port of the loopback, which keeps nothing.
func startRedis(ctx context.Context) (address string, stop func()) {
	probe := must(net.Listen("tcp", "127.0.0.1:0"))
	address = probe.Addr().String()
	port := fmt.Sprint(probe.Addr().(*net.TCPAddr).Port)
	probe.Close()
	folder := must(os.MkdirTemp("", "donjon-redis-"))
	server := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder,
		"--save", "", "--appendonly", "no", "--loglevel", "warning")
	if err := server.Start(); err != nil {
		panic(err)
	}
	client := redis.NewClient(&redis.Options{Addr: address})
	defer client.Close()
	for start := time.Now(); client.Ping(ctx).Err() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			panic("redis-server does not answer")
		}
	}
	return address, func() {
		server.Process.Kill()
		server.Wait()
		os.RemoveAll(folder)
	}
}
