package donjon_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func tableOf(t testing.TB, opts donjon.LimitTableOptions) *donjon.LimitTable {
	t.Helper()
	table, err := donjon.NewLimitTable(opts)
	ok(t, err)
	return table
}

func newTable(t testing.TB) *donjon.LimitTable { return tableOf(t, donjon.LimitTableOptions{}) }

func TestTableAllowsExactlyTheLimitInParallel(t *testing.T) {
	for algorithm, limits := range fiveOf(t) {
		table := newTable(t)
		var allowed atomic.Int32
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				if table.Allow(limits, "key") {
					allowed.Add(1)
				}
			})
		}
		group.Wait()
		equal(t, string(algorithm), allowed.Load(), 5)
	}
}

func TestTableCountsByKey(t *testing.T) {
	table, limits := newTable(t), parseLimits(t, "5/minute")
	for _, key := range []string{"", "a", "b", "a\x00", strings.Repeat("k", 1024)} {
		if !table.AllowN(limits, key, 5) || table.Allow(limits, key) {
			t.Errorf("%.10q is not counted by itself", key)
		}
	}
	stats, err := table.Stats()
	ok(t, err)
	equal(t, "entries", stats.Entries, 5)
	ok(t, table.Forget(t.Context(), "a"))
	if !table.AllowN(limits, "a", 5) {
		t.Error("not forgotten")
	}
	for _, n := range []int{0, -1, 6, 1 << 40, -1 << 63} {
		if table.AllowN(limits, "new", n) {
			t.Errorf("allowed %d", n)
		}
	}
	peek, err := table.Peek(limits, "new")
	ok(t, err)
	equal(t, "remaining", peek.Remaining, 5)
	if _, err := table.Peek(limits, strings.Repeat("k", 1025)); !errors.Is(err, donjon.ErrTooLarge) {
		t.Errorf("a long key: %v", err)
	}
}

func TestTableGivesBack(t *testing.T) {
	table, limits := newTable(t), parseLimits(t, "5/hour")
	verdict, err := table.Spend(t.Context(), limits, "key", 5)
	ok(t, err)
	ok(t, table.GiveBack(t.Context(), limits, "key", verdict.At, 2))
	if !table.AllowN(limits, "key", 2) || table.Allow(limits, "key") {
		t.Error("not two were given back")
	}
	ok(t, table.GiveBack(t.Context(), limits, "nobody", verdict.At, 2))
}

func TestTableTimeCanBeSimulated(t *testing.T) {
	table, limits := newTable(t), parseLimits(t, "1/hour")
	for i, want := range []bool{true, false, true} {
		verdict, err := table.SpendAt(limits, "key", 1, at.Add(time.Duration(i)*30*time.Minute))
		ok(t, err)
		equal(t, "allowed", verdict.Allowed, want)
	}
	ok(t, table.GiveBackAt(limits, "key", at.Add(time.Hour), 1, at.Add(time.Hour)))
	verdict, err := table.SpendAt(limits, "key", 1, at.Add(time.Hour))
	ok(t, err)
	equal(t, "allowed again", verdict.Allowed, true)
}

// Attack 48: the table is bounded, and says what it evicted.
func TestTableIsBounded(t *testing.T) {
	table, limits := tableOf(t, donjon.LimitTableOptions{Capacity: 1000}), parseLimits(t, "5/hour")
	for i := range 20_000 {
		if !table.Allow(limits, fmt.Sprint(i)) {
			t.Fatalf("key %d was refused", i)
		}
	}
	stats, err := table.Stats()
	ok(t, err)
	if stats.Entries > 1200 || stats.Evicted < 18_000 || stats.Capacity < 1000 || stats.Capacity > 1200 {
		t.Errorf("%+v", stats)
	}
}

// Attack 48a: whoever floods the table stays refused.
func TestFloodingForgivesNobody(t *testing.T) {
	for _, open := range []bool{false, true} {
		table := tableOf(t, donjon.LimitTableOptions{Capacity: 100, AllowWhenFull: open})
		locks := lockoutLimits(t, donjon.LockoutLimitsOptions{Attempts: 1})
		if !table.Allow(locks, "victim") || table.Allow(locks, "victim") {
			t.Fatal("not locked")
		}
		full := 0
		for i := range 5000 {
			verdict, err := table.Spend(t.Context(), locks, fmt.Sprint(i), 1)
			ok(t, err)
			if verdict.TableFull {
				full++
				equal(t, "allowed when full", verdict.Allowed, open)
			}
		}
		if table.Allow(locks, "victim") {
			t.Error("flooding has unlocked")
		}
		stats, err := table.Stats()
		ok(t, err)
		if full == 0 || stats.Entries > 120 || stats.Refused == 0 {
			t.Errorf("%d of 5000 when full, %+v", full, stats)
		}
	}
}

func TestSpendingAllocatesNothing(t *testing.T) {
	table, limits := newTable(t), parseLimits(t, "1000000/second; 100000000/hour")
	ctx := context.Background()
	for name, spend := range map[string]func(){
		"allow": func() { table.Allow(limits, "key") },
		"spend": func() {
			if _, err := table.Spend(ctx, limits, "key", 1); err != nil {
				t.Error(err)
			}
		},
		"refusal": func() { table.AllowN(limits, "key", 1<<31) },
	} {
		if got := testing.AllocsPerRun(1000, spend); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

func TestNoTableRefuses(t *testing.T) {
	limits := parseLimits(t, "5/minute")
	for _, table := range []*donjon.LimitTable{nil, new(donjon.LimitTable)} {
		if table.Allow(limits, "key") || table.AllowN(limits, "key", 2) {
			t.Error("no table allows")
		}
		_, err := table.Peek(limits, "key")
		_, stats := table.Stats()
		for _, err := range []error{
			err, stats, table.Forget(t.Context(), "key"), table.GiveBack(t.Context(), limits, "key", at, 1),
		} {
			if !errors.Is(err, donjon.ErrClosed) {
				t.Errorf("no table: %v", err)
			}
		}
	}
	for _, none := range []*donjon.Limits{nil, new(donjon.Limits)} {
		if newTable(t).Allow(none, "key") {
			t.Error("no limits allow")
		}
		if _, _, err := none.Spend(nil, at, 1); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("no limits: %v", err)
		}
	}
	for _, capacity := range []int{-1, 1 << 62} {
		if _, err := donjon.NewLimitTable(donjon.LimitTableOptions{Capacity: capacity}); err == nil {
			t.Errorf("a table of %d", capacity)
		}
	}
}

// Limits and tables that nobody refers to any more are freed, and never under a
// call.
func TestUnreachableLimitsAreNotFreedUnderACall(t *testing.T) {
	done := make(chan struct{})
	var collector sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	})
	for range 300 {
		if !newTable(t).Allow(parseLimits(t, "5/minute"), "key") {
			t.Error("refused")
		}
		copied := *parseLimits(t, "5/minute")
		runtime.Gosched()
		if _, _, err := copied.Spend(nil, at, 1); err != nil {
			t.Error(err)
		}
	}
	close(done)
	collector.Wait()
}

func TestTableIsSharedAmongGoroutines(t *testing.T) {
	table := tableOf(t, donjon.LimitTableOptions{Capacity: 64})
	lists := []*donjon.Limits{parseLimits(t, "1000/second"), parseLimits(t, "3/minute; 100/hour"), lockoutLimits(t, donjon.LockoutLimitsOptions{})}
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 2000 {
				limits, key := lists[i%len(lists)], fmt.Sprint(i*g%200)
				verdict, err := table.Spend(t.Context(), limits, key, 1)
				if err == nil && verdict.Allowed && i%3 == 0 {
					err = table.GiveBack(t.Context(), limits, key, verdict.At, 1)
				}
				if i%50 == 0 {
					err = errors.Join(err, table.Forget(t.Context(), key))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkLimitTable(b *testing.B) {
	table, limits := tableOf(b, donjon.LimitTableOptions{Capacity: 200_000}), parseLimits(b, "1000000/second")
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			table.Allow(limits, keys[i*7919%len(keys)])
		}
	})
}
