package donjon

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A recordBook reads and changes the records of a store, together with the marker by
// which the kernel notices that the store has forgotten something.
type recordBook struct {
	store      RecordStore
	maxSilence time.Duration
	timeout    time.Duration
	clock      func() time.Time
	logger     *slog.Logger

	mu    sync.Mutex
	seen  []byte // the latest marker that this process knows of
	quiet silence

	// Whoever changes a user's record waits for those of this process who do: in the
	// store, he then competes with other processes only.
	turns [turnstiles]chan struct{}
}

// A silence is a marker that nobody seemed to have touched for too long, and since when
// this process has found it so.
type silence struct {
	marker []byte
	since  time.Time
}

// storeOptions are what a [SessionManager] and [Revocations] have in common.
type storeOptions struct {
	maxSilence, timeout time.Duration
	clock               func() time.Time
	logger              *slog.Logger
}

const (
	turnstiles        = 256
	defaultMaxSilence = 24 * time.Hour

	markerKey = "epoch"

	// A marker is touched every second while anybody asks. One that stays as it is for
	// longer has nobody else, and it is no clock of this machine's that is ahead.
	confirmSilence = 2500 * time.Millisecond
)

func newRecordBook(store RecordStore, opts storeOptions) (*recordBook, error) {
	if store == nil {
		return nil, ErrClosed
	}
	book := &recordBook{
		store: store, maxSilence: cmp.Or(opts.maxSilence, defaultMaxSilence), timeout: opts.timeout,
		clock: opts.clock, logger: opts.logger,
	}
	if book.clock == nil {
		book.clock = time.Now
	}
	if book.logger == nil {
		book.logger = slog.Default()
	}
	for i := range book.turns {
		book.turns[i] = make(chan struct{}, 1)
	}
	// The kernel says now whether it takes such a silence.
	if _, status := abi.StoreMarker("", "", book.maxSilence.Milliseconds(), 0); status != abi.StatusOK {
		return nil, misconfigured("max_silence", failure(status).(*Error).message())
	}
	return book, nil
}

// A reading is what was in the store at some time after now.
type reading struct {
	now        time.Time
	since      time.Time // how far back the store remembers; what is older may have been revoked
	values     [][]byte
	remembered bool // by a CachedRecords
}

// rounds is how often a record is decided on anew because another process has changed
// it in between: a few times at once, then after pauses.
const (
	rounds      = 48
	hastyRounds = 4
	roundStep   = 250 * time.Microsecond // by which pauses become longer
)

var errContended = fmt.Errorf("%w: the record is being changed too often", ErrStoreUnavailable)

// pause waits for others to be done, the longer the more rounds there were.
func pause(ctx context.Context, round int) error {
	if round < hastyRounds {
		return nil
	}
	wait := time.NewTimer(rand.N(time.Duration(round) * roundStep))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// How a book is read.
const (
	mayRemember = false
	fromStore   = true // what a CachedRecords remembers is not good enough
)

// read returns the values of keys, once the marker is in order: a store that has lost
// something says so to all processes before any of them decides by it.
func (b *recordBook) read(ctx context.Context, keys []string, fresh bool) (reading, error) {
	keys = append([]string{markerKey}, keys...)
	for round := range rounds {
		if err := pause(ctx, round); err != nil {
			return reading{}, b.failed(ctx, err)
		}
		seen := b.lastSeen()
		now := b.clock()
		values, remembered, err := b.get(ctx, keys, fresh || round > 0)
		if err != nil {
			return reading{}, b.failed(ctx, err)
		}
		marker, status := abi.StoreMarker(abi.Text(values[0]), abi.Text(seen), b.maxSilence.Milliseconds(), now.UnixMilli())
		switch err := failure(status); {
		case err == ErrStoreUnavailable:
			return reading{}, errClockBehind
		case err != nil:
			return reading{}, err
		}
		if remembered && marker.Write == abi.WriteMay {
			marker.Write = abi.WriteNothing // whoever asks the store finds out whether it is due
		}
		good, err := b.mark(ctx, seen, values[0], marker)
		if err != nil {
			return reading{}, b.failed(ctx, err)
		}
		if good {
			return reading{now, time.UnixMilli(marker.SinceMS), values[1:], remembered}, nil
		}
	}
	return reading{}, errContended
}

func (b *recordBook) get(ctx context.Context, keys []string, fresh bool) (values [][]byte, remembered bool, err error) {
	switch cache, is := b.store.(*CachedRecords); {
	case is && fresh:
		values, err = cache.getFresh(ctx, keys)
	case is:
		values, remembered, err = cache.get(ctx, keys)
	default:
		values, err = b.store.GetMany(ctx, keys)
	}
	if err == nil && len(values) != len(keys) {
		err = errForeignStore
	}
	return values, remembered, err
}

// failedLately reports whether a CachedRecords has little hope that its store would
// answer.
func (b *recordBook) failedLately() bool {
	cache, is := b.store.(*CachedRecords)
	return is && cache.failedLately()
}

// mark writes the marker if the kernel says so, and reports whether what was read
// counts.
func (b *recordBook) mark(ctx context.Context, seen, stored []byte, marker abi.MarkerVerdict) (bool, error) {
	if marker.Write == abi.WriteNothing {
		b.raise(stored)
		return true, nil
	}
	if marker.Reason == abi.MarkerSilent && !b.isSilent(stored) {
		return false, errSilent
	}
	marked, err := b.store.Replace(ctx, markerKey, stored, marker.Marker, milliseconds(marker.KeepMS))
	switch {
	case marked && err == nil:
		b.raise(marker.Marker)
		if marker.Write == abi.WriteMust {
			level := slog.LevelWarn
			if seen == nil && marker.Reason == abi.MarkerMissing {
				level = slog.LevelInfo // as far as anybody knows, the store is new
			}
			b.logger.LogAttrs(ctx, level, "the store of sessions and revocations begins anew: what is older is refused",
				slog.String("reason", markerReason(marker.Reason)))
		}
		return true, nil
	case marker.Write == abi.WriteMay:
		b.raise(stored) // another process may have written the same
		return true, nil
	default:
		return false, err
	}
}

// errSilent is that nobody has touched the store for long, or that this machine's clock
// is ahead: which of the two, the next moments tell.
var errSilent = fmt.Errorf("%w: nobody has asked it for long, or this machine's clock is wrong", ErrStoreUnavailable)

// errClockBehind is that the store begins in what is the future to this machine.
var errClockBehind = fmt.Errorf("%w: it begins minutes from now: this machine's clock is behind, or another's was ahead", ErrStoreUnavailable)

// isSilent reports whether the marker has stayed as it is for so long that others would
// have touched it.
func (b *recordBook) isSilent(stored []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if !bytes.Equal(stored, b.quiet.marker) {
		b.quiet = silence{bytes.Clone(stored), now}
	}
	return now.Sub(b.quiet.since) >= confirmSilence
}

func markerReason(reason uint8) string {
	names := [...]string{"", "missing", "damaged", "rolled back", "silent"}
	if int(reason) >= len(names) {
		return "unknown"
	}
	return names[reason]
}

func (b *recordBook) lastSeen() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen
}

// raise remembers a marker unless a later one is known. The kernel writes markers so
// that the later one compares greater.
func (b *recordBook) raise(marker []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if bytes.Compare(marker, b.seen) > 0 {
		b.seen = bytes.Clone(marker)
	}
}

// A decision is what becomes of a record: refused or not, and what to write.
type decision struct {
	refusal error
	write   uint8
	record  []byte
	keep    time.Duration
}

// changeInTurn is change of a record that many may want to change at once. Decide
// changes no other one in turn.
func (b *recordBook) changeInTurn(ctx context.Context, keys []string, decide func(reading) (decision, error)) error {
	giveBack, err := b.turn(ctx, keys[0])
	if err != nil {
		return b.failed(ctx, err)
	}
	defer giveBack()
	return b.change(ctx, keys, decide)
}

// change reads records, of which the first is the one that decide decides on, and
// writes what it says. It decides anew as long as somebody else comes first.
func (b *recordBook) change(ctx context.Context, keys []string, decide func(reading) (decision, error)) error {
	var refused *decision // what the store did not write, or so it said
	for round := range rounds {
		if err := pause(ctx, round); err != nil {
			return b.failed(ctx, err)
		}
		read, err := b.read(ctx, keys, fromStore)
		if err != nil {
			return err
		}
		if refused != nil && bytes.Equal(read.values[0], refused.record) {
			if done, err := b.settle(ctx, keys[0], *refused); done || err != nil {
				return err
			}
			continue
		}
		decided, err := decide(read)
		if err != nil {
			return err
		}
		if done, err := b.write(ctx, keys[0], read.values[0], decided); done || err != nil {
			return err
		}
		refused = &decided
	}
	return errContended
}

// settle is for a decision that is in the store although the store has said that
// something else was there: a client whose answer got lost has sent the write again, and
// that found what the first had written. To decide anew would be to log in twice, or to
// take the new id of a session for a forged one.
func (b *recordBook) settle(ctx context.Context, key string, decided decision) (bool, error) {
	if !b.waitsForReplicas() {
		return true, decided.refusal
	}
	if len(decided.record) > 0 {
		return b.write(ctx, key, decided.record, decided) // which they acknowledge
	}
	err := b.confirm(ctx, key)
	return err == nil, cmp.Or(err, decided.refusal)
}

// write writes what was decided on a record, and reports whether that is settled. What
// is refused stays refused, whatever becomes of the record.
func (b *recordBook) write(ctx context.Context, key string, before []byte, decided decision) (bool, error) {
	if decided.write == abi.WriteNothing {
		return true, decided.refusal
	}
	replaced, err := b.store.Replace(ctx, key, before, decided.record, decided.keep)
	switch {
	case replaced && err == nil, decided.write == abi.WriteMay:
		return true, decided.refusal
	case err == nil:
		return false, nil
	case decided.refusal != nil:
		b.logger.LogAttrs(ctx, slog.LevelError, "a record of sessions cannot be written", slog.Attr{Key: "reason", Value: logged(err)})
		return true, decided.refusal
	default:
		return false, b.failed(ctx, err)
	}
}

// confirmedKeep is for how long what is written only to be acknowledged is kept.
const confirmedKeep = time.Minute

// confirm makes sure that the replicas have what was written to the record under key, if
// the store waits for them: by another write to the same server, which they acknowledge
// after all that was written before.
func (b *recordBook) confirm(ctx context.Context, key string) error {
	if !b.waitsForReplicas() {
		return nil
	}
	return b.change(ctx, []string{key + ":confirmed"}, func(reading) (decision, error) {
		return decision{nil, abi.WriteMust, []byte{1}, confirmedKeep}, nil
	})
}

// A replicaWaiter is a [RecordStore] that waits until replicas have what it writes.
type replicaWaiter interface{ WaitsForReplicas() bool }

func (b *recordBook) waitsForReplicas() bool {
	waiting, is := b.store.(replicaWaiter)
	return is && waiting.WaitsForReplicas()
}

// turn waits until nobody else in this process changes the record.
func (b *recordBook) turn(ctx context.Context, key string) (giveBack func(), err error) {
	turn := b.turns[cacheStripe(key)%turnstiles]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// failed is err, which the store or the wait for it has ended in, as
// [ErrStoreUnavailable], unless nobody waits for an answer any more.
func (b *recordBook) failed(ctx context.Context, err error) error {
	var kernel *Error
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.Is(err, ErrClosed), errors.Is(err, ErrStoreUnavailable):
		return err
	case errors.As(err, &kernel):
		// Not to be taken for a decision about what is asked: that there is no such session,
		// which to log out is no error.
		return fmt.Errorf("%w: %v", ErrStoreUnavailable, err)
	default:
		return fmt.Errorf("%w: %w", ErrStoreUnavailable, err)
	}
}

// bounded is ctx with the time that the store has.
func (b *recordBook) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, inProcess := b.store.(*MemoryRecords); inProcess || b.timeout < 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, cmp.Or(b.timeout, defaultRecordTimeout), errSlowStore)
}

// errSlowStore is why an operation has ended whose time was that of the store, and not
// what was left of its caller's.
var errSlowStore = errors.New("donjon: the store is slow")

// defaultRecordTimeout is for all rounds of an operation.
const defaultRecordTimeout = 2 * time.Second
