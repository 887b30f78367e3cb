package donjon

import (
	"context"
	"math"
	"runtime"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A LimitTable keeps in this process what is spent, by key: a bounded table for any
// number of goroutines, which asks no clock that anybody can set. It is a
// [LimitStore]; its own methods Allow, AllowN and Peek need no context, for they
// never wait.
//
// When it is full, it evicts what has expired, then what is nearest to having
// nothing spent. What is refused now is never evicted, so that nobody buys himself
// free by flooding the table with keys; see [LimitTableOptions].
//
// Each process has tables of its own. Where several of them serve the same clients,
// each admits the whole limit: they need a store that they share.
//
// A table need not be closed. A nil or zero table refuses everything.
type LimitTable struct {
	kept  *kept[abi.LimitTable]
	clock steadyClock
}

// LimitTableOptions say what [NewLimitTable] makes.
type LimitTableOptions struct {
	// Capacity is how many keys there is room for; if zero, 100,000. Up to a fifth
	// more may be there.
	Capacity int

	// AllowWhenFull allows what a new key spends when there is no room left but by
	// forgetting a refusal. Otherwise it is refused. Both are counted in
	// [LimitTableStats], and the verdict says so.
	AllowWhenFull bool
}

// LimitTableStats are what a table holds, and has done since it was made.
type LimitTableStats struct {
	Entries, Capacity uint64
	Expired           uint64 // entries that were dropped after their time
	Evicted           uint64 // entries that were dropped before their time
	Refused           uint64 // new keys that there was no room for
	Bytes             uint64 // of memory
}

// NewLimitTable makes a table.
func NewLimitTable(opts LimitTableOptions) (*LimitTable, error) {
	var d document
	if opts.Capacity != 0 {
		d.number("capacity", int64(opts.Capacity))
	}
	if opts.AllowWhenFull {
		d.string("when_full", "allow")
	}
	t, status := abi.NewLimitTable(d.end())
	if err := failure(status); err != nil {
		return nil, err
	}
	return &LimitTable{keep(t, abi.LimitTable.Free), steadyClock{time.Now()}}, nil
}

// Allow reports whether something that limits are about may happen once more under
// key, and spends it. What cannot be decided is refused.
func (t *LimitTable) Allow(limits *Limits, key string) bool { return t.AllowN(limits, key, 1) }

// AllowN is [LimitTable.Allow] of n at once: all of them or none. It refuses less
// than one.
func (t *LimitTable) AllowN(limits *Limits, key string, n int) bool {
	if n < 1 || uint64(n) > math.MaxUint32 {
		return false
	}
	verdict, err := t.spend(limits, key, uint32(n), t.nowMS())
	return err == nil && verdict.Allowed
}

// Peek returns the verdict about one more, without spending it.
func (t *LimitTable) Peek(limits *Limits, key string) (Verdict, error) {
	return t.spendAt(limits, key, 0, t.nowMS())
}

// Spend implements [LimitStore]. It never waits.
func (t *LimitTable) Spend(_ context.Context, limits *Limits, key string, cost uint32) (Verdict, error) {
	return t.spendAt(limits, key, cost, t.nowMS())
}

// SpendAt is [LimitTable.Spend] at another time than the table's own, for tests and
// simulations.
func (t *LimitTable) SpendAt(limits *Limits, key string, cost uint32, now time.Time) (Verdict, error) {
	return t.spendAt(limits, key, cost, now.UnixMilli())
}

func (t *LimitTable) spendAt(limits *Limits, key string, cost uint32, nowMS int64) (Verdict, error) {
	verdict, err := t.spend(limits, key, cost, nowMS)
	if err != nil {
		return Verdict{}, err
	}
	return verdictAt(verdict, nowMS), nil
}

func (t *LimitTable) spend(limits *Limits, key string, cost uint32, nowMS int64) (abi.LimitVerdict, error) {
	table, l, err := t.borrow(limits)
	if err != nil {
		return abi.LimitVerdict{}, err
	}
	verdict, status := table.Spend(l, key, nowMS, cost)
	runtime.KeepAlive(t.kept)
	runtime.KeepAlive(limits.kept)
	return verdict, failure(status)
}

// GiveBack implements [LimitStore].
func (t *LimitTable) GiveBack(_ context.Context, limits *Limits, key string, spentAt time.Time, cost uint32) error {
	return t.giveBack(limits, key, spentAt.UnixMilli(), t.nowMS(), cost)
}

// GiveBackAt is [LimitTable.GiveBack] at another time than the table's own.
func (t *LimitTable) GiveBackAt(limits *Limits, key string, spentAt time.Time, cost uint32, now time.Time) error {
	return t.giveBack(limits, key, spentAt.UnixMilli(), now.UnixMilli(), cost)
}

func (t *LimitTable) giveBack(limits *Limits, key string, spentAtMS, nowMS int64, cost uint32) error {
	table, l, err := t.borrow(limits)
	if err != nil {
		return err
	}
	status := table.GiveBack(l, key, spentAtMS, nowMS, cost)
	runtime.KeepAlive(t.kept)
	runtime.KeepAlive(limits.kept)
	return failure(status)
}

// Forget implements [LimitStore].
func (t *LimitTable) Forget(_ context.Context, key string) error {
	if t == nil || t.kept == nil {
		return ErrClosed
	}
	defer runtime.KeepAlive(t.kept)
	return failure(t.kept.object.Forget(key))
}

// Stats returns what the table holds and has done.
func (t *LimitTable) Stats() (LimitTableStats, error) {
	if t == nil || t.kept == nil {
		return LimitTableStats{}, ErrClosed
	}
	defer runtime.KeepAlive(t.kept)
	stats, status := t.kept.object.Stats()
	return LimitTableStats(stats), failure(status)
}

// nowMS is the time by the table's clock.
func (t *LimitTable) nowMS() int64 {
	if t == nil {
		return 0
	}
	return t.clock.nowMS()
}

// borrow returns the kernel's objects, for a call after which both are still alive.
func (t *LimitTable) borrow(limits *Limits) (abi.LimitTable, abi.Limits, error) {
	if t == nil || t.kept == nil {
		return abi.LimitTable{}, abi.Limits{}, ErrClosed
	}
	l, err := limits.borrow()
	return t.kept.object, l, err
}
