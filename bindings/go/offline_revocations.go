package donjon

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// OfflineRevocations refuse revoked tokens by a [RevocationSet], without a store: what
// was revoked is refused once a set says so, and everything is once the last set's time
// is over, or before there is one. Check fits [RequireOptions.Check]; Update is given
// the sets, by a [RevocationSetClient] or in whatever way. Its methods are safe for
// concurrent use.
type OfflineRevocations struct {
	keys func() *Keyring
	opts OfflineRevocationsOptions

	set atomic.Pointer[RevocationSet]
	mu  sync.Mutex
	// The highest sequence that was ever good.
	sequence uint64
	closed   bool
}

// OfflineRevocationsOptions are the optional parts of [OfflineRevocations].
type OfflineRevocationsOptions struct {
	// Confirm is asked about a token that the set refuses and that may be another one,
	// such as [Revocations.Check] of the store: if it lets the token live, it does. If
	// the store does not answer, or Confirm is nil, the token is refused.
	Confirm func(context.Context, *Claims) error

	// Clock tells the time; if nil, [time.Now].
	Clock func() time.Time

	// Logger is told of tokens that could not be confirmed; if nil, nobody is.
	Logger *slog.Logger
}

// NewOfflineRevocations makes offline revocations, which have no set yet. Keys returns
// the public keys of who signs the sets, and is asked for every set.
func NewOfflineRevocations(keys func() *Keyring, opts OfflineRevocationsOptions) *OfflineRevocations {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &OfflineRevocations{keys: keys, opts: opts}
}

// Update takes a set in the place of the one before. A set that is not good is an error
// and changes nothing, and so does one that is older than the last, which is
// [ErrStateStale]: of several servers, one may be behind.
func (o *OfflineRevocations) Update(set []byte) error {
	if o == nil || o.keys == nil {
		return ErrClosed
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return ErrClosed
	}
	opened, err := OpenRevocationSetAt(set, o.keys(), o.sequence, o.opts.Clock())
	if err != nil {
		return err
	}
	info, err := opened.Info()
	if err != nil {
		return errors.Join(err, opened.Close())
	}
	o.sequence = info.Sequence
	return o.set.Swap(opened).Close()
}

// Check returns nil if a verified token lives, [ErrRevoked] if not, and
// [ErrRevocationSetStale] if nothing is known that is recent enough.
func (o *OfflineRevocations) Check(ctx context.Context, claims *Claims) error {
	if o == nil || o.keys == nil {
		return ErrClosed
	}
	query, err := revocationQueryOf(claims)
	if err != nil {
		return err
	}
	isProbable, err := o.look(query)
	if err == nil || !isProbable || !errors.Is(err, ErrRevoked) || o.opts.Confirm == nil {
		return err
	}
	confirmed := o.opts.Confirm(ctx, claims)
	if confirmed != nil && !errors.Is(confirmed, ErrRevoked) {
		o.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "a token is refused by a probable revocation",
			slog.Any("token", claims), slog.Attr{Key: "reason", Value: logged(confirmed)})
		return err
	}
	return confirmed
}

// look looks a token up in the present set.
func (o *OfflineRevocations) look(q RevocationQuery) (isProbable bool, err error) {
	for set := o.set.Load(); ; {
		if set == nil {
			return false, ErrRevocationSetStale
		}
		isProbable, err = set.CheckAt(q, o.opts.Clock())
		next := o.set.Load()
		if next == set || !errors.Is(err, ErrClosed) {
			return isProbable, err
		}
		set = next // which has taken its place just now
	}
}

// Info returns what the present set says of itself.
func (o *OfflineRevocations) Info() (*RevocationSetInfo, error) {
	if o == nil || o.keys == nil {
		return nil, ErrClosed
	}
	set := o.set.Load()
	if set == nil {
		return nil, ErrRevocationSetStale
	}
	return set.Info()
}

// Close releases the set. It returns nil, always.
func (o *OfflineRevocations) Close() error {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	return o.set.Load().Close()
}
