package donjon

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"log/slog"
	"sync"
	"time"
)

// CachedRecords is a [RecordStore] that remembers for a while what it has read in
// another one, so that most sessions and tokens are checked without asking that. The
// price is what MaxAge says: what somebody else has revoked is accepted here until
// then, and no longer. What is done through the same CachedRecords is seen at once.
//
// Whatever changes a record reads it anew, and so does a check that would refuse by
// what is remembered. A zero MaxAge remembers nothing. The fields are not to be
// changed after the first use.
type CachedRecords struct {
	Store RecordStore

	// MaxAge is how old what is accepted may be: the bound that it promises. It is
	// counted from before the store was asked, by a clock that nobody sets.
	MaxAge time.Duration

	// MaxEntries is how many records are remembered; if zero, 10,000.
	MaxEntries int

	// StaleIfError is for how much longer than MaxAge what is remembered is accepted while
	// the store does not answer. Whether it does is then asked once a second. A caller who
	// has given it no 100 ms tells nothing of it.
	StaleIfError time.Duration

	// Logger is told when the store begins to fail, and when it answers again; if nil,
	// [slog.Default].
	Logger *slog.Logger

	mu sync.Mutex
	// The younger half, and the older one, which is dropped when the younger is full.
	young, old map[string]cachedRecord
	// How often this process has begun or ended to change one of the keys of a stripe:
	// what was read meanwhile may be older than what it has written.
	changes [cacheStripes]uint64
	// When the store failed, the zero time if it has answered since.
	failedAt time.Time
}

const (
	defaultCachedRecords = 10_000
	cacheStripes         = 256

	// For so long after a failure, a store is not asked for what is remembered: whoever
	// asks one that hangs waits until his time is over.
	askedAgainAfter = time.Second
)

type cachedRecord struct {
	value []byte // nil: there was none
	asked time.Time
}

var (
	_ RecordStore   = (*CachedRecords)(nil)
	_ RecordScanner = (*CachedRecords)(nil)
)

var cacheSeed = maphash.MakeSeed()

func cacheStripe(key string) int { return int(maphash.String(cacheSeed, key) % cacheStripes) }

// GetMany implements [RecordStore].
func (c *CachedRecords) GetMany(ctx context.Context, keys []string) ([][]byte, error) {
	values, _, err := c.get(ctx, keys)
	return values, err
}

// get is GetMany, and tells whether the values are remembered ones.
func (c *CachedRecords) get(ctx context.Context, keys []string) (values [][]byte, remembered bool, err error) {
	if c == nil || c.Store == nil {
		return nil, false, ErrClosed
	}
	if values, all := c.remembered(keys, c.MaxAge); all {
		return values, true, nil
	}
	if ctx.Err() == nil && c.failedLately() {
		if stale, all := c.stale(keys); all {
			return stale, true, nil
		}
	}
	values, err = c.getFresh(ctx, keys)
	if err == nil || errors.Is(ctx.Err(), context.Canceled) {
		return values, false, err
	}
	if stale, all := c.stale(keys); all {
		return stale, true, nil
	}
	return nil, false, err
}

// stale returns the values of keys for as long as the store does not answer, and whether
// all of them will do.
func (c *CachedRecords) stale(keys []string) ([][]byte, bool) {
	if c.StaleIfError <= 0 {
		return nil, false
	}
	return c.remembered(keys, c.MaxAge+c.StaleIfError)
}

// failedLately reports whether there is little hope that the store would answer now.
func (c *CachedRecords) failedLately() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.failedAt.IsZero() && time.Since(c.failedAt) < askedAgainAfter
}

// heard notes whether the store has answered, and says so if that is new.
func (c *CachedRecords) heard(ctx context.Context, asked time.Time, failure error) {
	if failure != nil && saysNothing(ctx, asked) {
		return
	}
	c.mu.Lock()
	failed := !c.failedAt.IsZero()
	c.failedAt = time.Time{}
	if failure != nil {
		c.failedAt = time.Now()
	}
	c.mu.Unlock()
	logger := c.Logger
	if logger == nil {
		logger = slog.Default()
	}
	switch {
	case failure != nil && !failed:
		logger.LogAttrs(ctx, slog.LevelError, "the store of sessions and revocations fails",
			slog.Attr{Key: "reason", Value: logged(failure)})
	case failure == nil && failed:
		logger.LogAttrs(ctx, slog.LevelWarn, "the store of sessions and revocations answers again")
	}
}

// hurry is for how long a store is not expected to answer those whose own time it is.
const hurry = 100 * time.Millisecond

// saysNothing reports whether a failure is that of a caller who does not wait any more,
// and none of the store, which was asked then.
func saysNothing(ctx context.Context, asked time.Time) bool {
	switch {
	case ctx.Err() == nil, errors.Is(context.Cause(ctx), errSlowStore):
		return false
	case errors.Is(ctx.Err(), context.Canceled):
		return true
	default:
		return time.Since(asked) < hurry
	}
}

// remembered returns the values of keys and whether all of them are young enough.
func (c *CachedRecords) remembered(keys []string, age time.Duration) ([][]byte, bool) {
	values := make([][]byte, len(keys))
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, key := range keys {
		record, known := c.young[key]
		if !known {
			record, known = c.old[key]
		}
		if !known || now.Sub(record.asked) >= age {
			return nil, false
		}
		values[i] = record.value
	}
	return values, true
}

// getFresh asks the store, whatever is remembered.
func (c *CachedRecords) getFresh(ctx context.Context, keys []string) ([][]byte, error) {
	if c.Store == nil {
		return nil, ErrClosed
	}
	asked := time.Now()
	changes := c.changesOf(keys)
	values, err := c.Store.GetMany(ctx, keys)
	if err == nil && len(values) != len(keys) {
		err = errForeignStore
	}
	c.heard(ctx, asked, err)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, key := range keys {
		if c.changes[cacheStripe(key)] == changes[i] {
			c.remember(key, cachedRecord{values[i], asked})
		}
	}
	return values, nil
}

// errForeignStore is a mistake of whoever wrote the store.
var errForeignStore = errors.New("donjon: the store did not answer with as many values as keys")

func (c *CachedRecords) changesOf(keys []string) []uint64 {
	changes := make([]uint64, len(keys))
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, key := range keys {
		changes[i] = c.changes[cacheStripe(key)]
	}
	return changes
}

// remember keeps a record unless a younger one is there. c.mu is held.
func (c *CachedRecords) remember(key string, record cachedRecord) {
	if c.MaxAge <= 0 || c.young[key].asked.After(record.asked) || c.old[key].asked.After(record.asked) {
		return
	}
	if half := cmp.Or(c.MaxEntries, defaultCachedRecords) / 2; len(c.young) >= half {
		c.old, c.young = c.young, nil
	}
	if c.young == nil {
		c.young = make(map[string]cachedRecord)
	}
	c.young[key] = record
}

// Replace implements [RecordStore]: it asks the store, and forgets the record,
// whatever comes of it.
func (c *CachedRecords) Replace(ctx context.Context, key string, before, after []byte, keep time.Duration) (bool, error) {
	if c == nil || c.Store == nil {
		return false, ErrClosed
	}
	c.forget(key)
	defer c.forget(key)
	return c.Store.Replace(ctx, key, before, after, keep)
}

func (c *CachedRecords) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes[cacheStripe(key)]++
	delete(c.young, key)
	delete(c.old, key)
}

// WaitsForReplicas reports whether the store does.
func (c *CachedRecords) WaitsForReplicas() bool {
	if c == nil {
		return false
	}
	waiting, is := c.Store.(replicaWaiter)
	return is && waiting.WaitsForReplicas()
}

// Scan implements [RecordScanner], if the store does: it remembers nothing.
func (c *CachedRecords) Scan(ctx context.Context, part string) iter.Seq2[ScannedRecord, error] {
	if c == nil || c.Store == nil {
		return failedScan(ErrClosed)
	}
	scanner, is := c.Store.(RecordScanner)
	if !is {
		return failedScan(ErrUnsupported)
	}
	return scanner.Scan(ctx, part)
}

func failedScan(err error) iter.Seq2[ScannedRecord, error] {
	return func(yield func(ScannedRecord, error) bool) { yield(ScannedRecord{}, err) }
}
