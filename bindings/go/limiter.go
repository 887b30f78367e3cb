package donjon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"
)

// A Limiter asks a store whether something may still happen, and says what becomes
// of it when the store does not answer. It is safe for concurrent use by a pointer,
// as long as its fields are not changed.
//
// All limits that are charged under one key have to be the same: what was spent
// under other ones is converted, so that nothing is had back by it.
type Limiter struct {
	Store LimitStore

	// OnFailure is what becomes of a charge when the store does not answer; if
	// zero, it is refused.
	OnFailure FailurePolicy

	// Timeout is how long the store has to answer; if zero, one second. If it is
	// negative, as long as the context lets it.
	Timeout time.Duration

	// Report is told each time that the store does not answer. If nil, Logger is,
	// and if that is nil too, [slog.Default].
	Report func(context.Context, error)
	Logger *slog.Logger
}

// A FailurePolicy is what becomes of a charge when the store does not answer. The
// zero FailurePolicy is [FailClosed].
type FailurePolicy struct {
	open  bool
	table *LimitTable
}

// FailClosed refuses, with [ErrStoreUnavailable].
func FailClosed() FailurePolicy { return FailurePolicy{} }

// FailOpen allows.
func FailOpen() FailurePolicy { return FailurePolicy{open: true} }

// FallBackTo decides by a table in this process, which knows nothing of what was
// spent in the store, and whose charges the store never learns of.
func FallBackTo(table *LimitTable) FailurePolicy { return FailurePolicy{table: table} }

// A Charge is a cost under a key, by limits.
type Charge struct {
	Limits *Limits
	Key    string
	Cost   int // if zero, 1; to look is [Limiter.Peek]
}

// withCosts is charges with a cost each.
func withCosts(charges []Charge) []Charge {
	charges = slices.Clone(charges)
	for i := range charges {
		charges[i].Cost = cmp.Or(charges[i].Cost, 1)
	}
	return charges
}

// defaultStoreTimeout is [Limiter.Timeout] if that is zero.
const defaultStoreTimeout = time.Second

// Allow decides whether something that limits are about may happen once more under
// key, and spends it if so. Look at [Result.Allowed]; that a limit is spent is no
// error.
//
// An error is that nothing was decided, and then nothing is allowed:
// [ErrStoreUnavailable], where the policy is [FailClosed]; the context's, if it was
// canceled; or a mistake, such as nil limits. A deadline that is missed is the store's
// failure.
func (l *Limiter) Allow(ctx context.Context, limits *Limits, key string) (Result, error) {
	return l.AllowN(ctx, limits, key, 1)
}

// AllowN is [Limiter.Allow] of n at once: all of them or none. If n is zero, it
// only looks.
func (l *Limiter) AllowN(ctx context.Context, limits *Limits, key string, n int) (Result, error) {
	_, result, err := l.reserve(ctx, []Charge{{limits, key, n}})
	return result, err
}

// Peek returns the [Result] of one more, without spending it.
func (l *Limiter) Peek(ctx context.Context, limits *Limits, key string) (Result, error) {
	return l.AllowN(ctx, limits, key, 0)
}

// AllowAll is [Limiter.Allow] of several charges at once: all of them or none. They
// are spent one after the other, and given back if a later one is refused. The
// result is that of the charge that is refused or, if none is, of the one with the
// least left.
//
// Put the narrow limit first, such as a user's, and the one that is shared last.
// What is given back is less what time alone has returned since, which over a store
// elsewhere can be all of it: whoever is refused again and again by a later limit
// uses up those before it.
func (l *Limiter) AllowAll(ctx context.Context, charges ...Charge) (Result, error) {
	_, result, err := l.reserve(ctx, withCosts(charges))
	return result, err
}

// Forget makes everything under key unspent.
func (l *Limiter) Forget(ctx context.Context, key string) error {
	if l == nil || l.Store == nil {
		return ErrClosed
	}
	r := reservation{limiter: l, store: l.Store}
	return r.settle(ctx, func(ctx context.Context) error { return l.Store.Forget(ctx, key) })
}

// reserve is AllowAll, with what was spent. A charge of no cost only looks.
func (l *Limiter) reserve(ctx context.Context, charges []Charge) (*reservation, Result, error) {
	if l == nil || l.Store == nil {
		return nil, Result{}, ErrClosed
	}
	if err := checkCharges(charges); err != nil {
		return nil, Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return nil, Result{}, err // the caller's time was over before the store was asked
	}
	reserved := &reservation{limiter: l, store: l.Store}
	result, err := reserved.spend(ctx, charges)
	switch {
	case err == nil:
		return reserved, result, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, Result{}, ctx.Err() // nobody waits for an answer
	case isFailure(err):
		return l.withoutStore(ctx, charges, unavailable(err))
	default:
		return nil, Result{}, err
	}
}

// maxLimitKey is how long a key may be, in bytes, in whichever store.
const maxLimitKey = 1024

func checkCharges(charges []Charge) error {
	if len(charges) == 0 {
		return ErrInvalidArgument
	}
	for _, charge := range charges {
		if charge.Cost < 0 || uint64(charge.Cost) > math.MaxUint32 {
			return ErrInvalidArgument
		}
		if len(charge.Key) > maxLimitKey {
			return ErrTooLarge
		}
		if _, err := charge.Limits.borrow(); err != nil {
			return err
		}
	}
	return nil
}

// isFailure reports whether err is that the store did not answer, and not that it
// was asked what nobody can answer.
func isFailure(err error) bool {
	if errors.Is(err, ErrClosed) {
		return false
	}
	var kernel *Error
	if !errors.As(err, &kernel) {
		return true
	}
	switch kernel.Code {
	case CodeInvalidArgument, CodeConfig, CodeMalformed, CodeTooLarge, CodeUnsupported:
		return false
	default:
		return true
	}
}

// unavailable is err as [ErrStoreUnavailable], if it is a failure.
func unavailable(err error) error {
	if err == nil || !isFailure(err) || errors.Is(err, ErrStoreUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrStoreUnavailable, err)
}

// withoutStore decides by the policy.
func (l *Limiter) withoutStore(ctx context.Context, charges []Charge, failed error) (*reservation, Result, error) {
	l.report(ctx, failed)
	policy := l.OnFailure
	switch {
	case policy.open:
		first := charges[0]
		return &reservation{limiter: l}, Result{
			Limit: first.Limits.item(0), Allowed: max(first.Cost, 1), RetryAfter: -1, Failure: failed,
		}, nil
	case policy.table != nil:
		reserved := &reservation{limiter: l, store: policy.table}
		result, err := reserved.spend(ctx, charges)
		if err != nil {
			return nil, Result{Failure: failed}, err
		}
		result.Failure = failed
		return reserved, result, nil
	default:
		return nil, Result{Failure: failed}, failed
	}
}

func (l *Limiter) report(ctx context.Context, failed error) {
	if l.Report != nil {
		l.Report(ctx, failed)
		return
	}
	logger := l.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.LogAttrs(ctx, slog.LevelError, "limits cannot be asked", slog.Attr{Key: "reason", Value: logged(failed)})
}
