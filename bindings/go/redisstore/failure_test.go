package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/redisstore"
	"github.com/redis/go-redis/v9"
)

// Killed and started again under load, the server takes nobody down with it: each
// request is answered as the policy says, and each failure is reported.
func TestAServerThatIsKilledUnderLoad(t *testing.T) {
	table, err := donjon.NewLimitTable(donjon.LimitTableOptions{})
	ok(t, err)
	for name, policy := range map[string]donjon.FailurePolicy{
		"closed": donjon.FailClosed(), "open": donjon.FailOpen(), "fall back": donjon.FallBackTo(table),
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			var reported reports
			limiter := &donjon.Limiter{
				Store: redisstore.New(s.client(nil), nil), OnFailure: policy,
				Timeout: 100 * time.Millisecond, Report: reported.report,
			}
			handler := donjon.RateLimit(limiter, donjon.RateLimitOptions{Limits: parse(t, "1000000/hour")})(
				http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
			var served, failed, passed atomic.Int64
			done := make(chan struct{})
			var load sync.WaitGroup
			for range 8 {
				load.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
						}
						w := httptest.NewRecorder()
						handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
						knows := w.Header().Get("X-RateLimit-Limit") != ""
						switch {
						case w.Code == http.StatusOK && knows:
							served.Add(1)
						case w.Code == http.StatusOK:
							passed.Add(1)
						case w.Code == http.StatusServiceUnavailable && !knows:
							failed.Add(1)
						default:
							t.Errorf("answered %d", w.Code)
						}
					}
				})
			}
			grows := func(what string, count func() int64) {
				t.Helper()
				before := count()
				for range 2000 {
					if count() > before+20 {
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
				t.Errorf("not in time: %s", what)
			}
			for range 2 {
				grows("served", served.Load)
				s.kill()
				grows("reported", func() int64 { return int64(reported.count()) })
				s.run()
				grows("served again", served.Load)
			}
			close(done)
			load.Wait()
			equal(t, "503 is answered", failed.Load() > 0, name == "closed")
			equal(t, "passed without a limit", passed.Load() > 0, name == "open")
			if failures := int64(reported.count()); failures < failed.Load()+passed.Load() {
				t.Errorf("%d failures were reported", failures)
			}
			for _, err := range reported.all {
				if !errors.Is(err, donjon.ErrStoreUnavailable) {
					t.Errorf("reported %v", err)
				}
			}
			equal(t, "keys in the server", s.client(nil).DBSize(t.Context()).Val(), 1)
		})
	}
	stats, err := table.Stats()
	ok(t, err)
	equal(t, "keys in the fallback", stats.Entries, 1)
}

// A server that accepts and says nothing is given up on in time, whether the client
// keeps deadlines or not.
func TestAServerThatHangsIsGivenUpOnInTime(t *testing.T) {
	address := hostile(t, func(int) string { return "" })
	limits := parse(t, "5/hour")
	for _, keeps := range []bool{true, false} {
		client := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: keeps, Protocol: 2})
		defer client.Close()
		store := redisstore.New(client, nil)
		for name, call := range map[string]func(context.Context) error{
			"spend":     func(ctx context.Context) error { _, err := store.Spend(ctx, limits, "key", 1); return err },
			"give back": func(ctx context.Context) error { return store.GiveBack(ctx, limits, "key", time.Now(), 1) },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			began := time.Now()
			err := call(ctx)
			cancel()
			if !errors.Is(err, donjon.ErrStoreUnavailable) || time.Since(began) > time.Second {
				t.Errorf("%s: %v after %v", name, err, time.Since(began))
			}
		}
		canceled, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		_, err := (&donjon.Limiter{Store: store, OnFailure: donjon.FailOpen()}).Allow(canceled, limits, "key")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
	}
}

func bulk(text string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text) }

// Whatever a server answers, it is a verdict or a failure of the store.
func TestAServerThatLiesIsAFailureOfTheStore(t *testing.T) {
	limits := parse(t, "5/hour")
	state := strings.Repeat("\x11", 23)
	script := func(outcome byte, state string) string {
		return bulk(string([]byte{outcome, 1, 0x8b, 0xcf, 0xe5, 0x68, 0}) + state)
	}
	for name, answer := range map[string]string{
		"a number":                ":1\r\n",
		"nothing":                 "$-1\r\n",
		"no elements":             "*0\r\n",
		"a list":                  "*3\r\n:1\r\n" + bulk("") + ":1\r\n",
		"an empty text":           bulk(""),
		"no whole time":           bulk("\x01\x01\x8b\xcf\xe5\x68"),
		"another outcome":         script(3, ""),
		"a digit for an outcome":  script('1', ""),
		"spent what is not there": script(1, state),
		"refused what is there":   script(0, ""),
		"foreign for ever":        script(2, state),
		"an error":                "-OOM command not allowed\r\n",
		"busy":                    "-BUSY Redis is busy running a script\r\n",
		"never heard of it":       "-NOSCRIPT No matching script\r\n",
		"no protocol":             "HTTP/1.1 400 Bad Request\r\n\r\n",
		"nested":                  strings.Repeat("*1\r\n", 100) + ":1\r\n",
	} {
		client := redis.NewClient(&redis.Options{
			Addr: hostile(t, func(int) string { return answer }), Protocol: 2, MaxRetries: -1, ContextTimeoutEnabled: true,
		})
		store := redisstore.New(client, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		verdict, err := store.Spend(ctx, limits, "key", 1)
		if !errors.Is(err, donjon.ErrStoreUnavailable) || verdict.Allowed {
			t.Errorf("%s: %+v, %v", name, verdict, err)
		}
		if err := store.GiveBack(ctx, limits, "key", time.UnixMilli(1), 1); err != nil && !errors.Is(err, donjon.ErrStoreUnavailable) {
			t.Errorf("%s: given back: %v", name, err)
		}
		cancel()
		_ = client.Close()
	}
}

func TestALockoutIsSharedByProcesses(t *testing.T) {
	s := start(t)
	keys, err := donjon.GenerateKeyring(map[donjon.Purpose]donjon.Algorithm{
		donjon.PurposeToken: donjon.EdDSA, donjon.PurposeStateBinding: donjon.HS256, donjon.PurposeDevice: donjon.HS256,
	})
	ok(t, err)
	defer keys.Close()
	var lockouts [2]*donjon.Lockout
	for i := range lockouts {
		lockouts[i], err = donjon.NewLockout(keys, &donjon.Limiter{Store: redisstore.New(s.client(nil), nil)}, nil)
		ok(t, err)
		defer lockouts[i].Close()
	}
	ann := donjon.LogIn{Account: "ann", Address: "203.0.113.7"}
	var hashed atomic.Int32
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			guess := ann
			guess.Address = fmt.Sprintf("203.0.113.%d", i)
			if _, err := lockouts[i%2].Reserve(t.Context(), guess); err == nil {
				hashed.Add(1)
			} else if !errors.Is(err, donjon.ErrRateLimited) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	equal(t, "hashes", hashed.Load(), 5)

	ben := donjon.LogIn{Account: "ben", Address: "198.51.100.1"}
	for range 4 {
		_, err := lockouts[0].Reserve(t.Context(), ben)
		ok(t, err)
	}
	attempt, err := lockouts[1].Reserve(t.Context(), ben)
	ok(t, err)
	ok(t, attempt.Succeeded(t.Context()))
	_, err = lockouts[0].Reserve(t.Context(), donjon.LogIn{Account: "ben"})
	ok(t, err)
}
