package donjon

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// A reservation is what was spent of some charges, and where.
type reservation struct {
	limiter *Limiter
	store   LimitStore // nil if the charges were allowed without one
	spent   []spending
}

type spending struct {
	Charge
	at time.Time
}

// spend charges one after the other. If it does not get through all of them, it
// gives back what it has spent.
func (r *reservation) spend(ctx context.Context, charges []Charge) (Result, error) {
	bounded, cancel := r.bounded(ctx)
	defer cancel()
	var tightest Result
	for i, charge := range charges {
		verdict, err := r.store.Spend(bounded, charge.Limits, charge.Key, uint32(charge.Cost))
		if err != nil {
			r.giveBack(ctx)
			return Result{}, err
		}
		if verdict.At.IsZero() {
			verdict.At = time.Now() // of a store that does not tell
		}
		result := resultOf(i, charge, verdict)
		if !verdict.Allowed {
			r.giveBack(ctx)
			return result, nil
		}
		if charge.Cost > 0 {
			r.spent = append(r.spent, spending{charge, verdict.At})
		}
		if i == 0 || result.tighterThan(&tightest) {
			tightest = result
		}
	}
	return tightest, nil
}

// giveBack undoes what was spent, the last first. What the store does not take
// back is reported, and stays spent.
func (r *reservation) giveBack(ctx context.Context) {
	if len(r.spent) == 0 {
		return
	}
	_ = r.settle(ctx, func(ctx context.Context) error {
		var failed error
		for _, s := range slices.Backward(r.spent) {
			failed = errors.Join(failed, r.giveBackOne(ctx, s))
		}
		return failed
	})
	r.spent = nil
}

func (r *reservation) giveBackOne(ctx context.Context, s spending) error {
	return r.store.GiveBack(ctx, s.Limits, s.Key, s.at, uint32(s.Cost))
}

// settle calls the store about what is settled: whether or not the client that ctx
// belongs to still waits. It reports a failure besides returning it.
func (r *reservation) settle(ctx context.Context, call func(context.Context) error) error {
	bounded, cancel := r.bounded(context.WithoutCancel(ctx))
	defer cancel()
	err := unavailable(call(bounded))
	if err != nil {
		r.limiter.report(ctx, err)
	}
	return err
}

// bounded is ctx with the time that the store has.
func (r *reservation) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, inProcess := r.store.(*LimitTable); inProcess || r.limiter.Timeout < 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, cmp.Or(r.limiter.Timeout, defaultStoreTimeout))
}
