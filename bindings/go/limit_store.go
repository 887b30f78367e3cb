package donjon

import (
	"context"
	"time"
)

// A LimitStore keeps what is spent, by key: a [LimitTable] in one process, the
// module redisstore for several. Its methods give up when their context is done.
//
// It decides by [Limits.Spend] and nothing else, atomically: of any number of
// calls at once, no two decide on the same state.
type LimitStore interface {
	// Spend decides about a cost under key and stores what comes of it. A cost of
	// zero is a peek. That the limit is spent is a verdict; an error is that the
	// store could not tell.
	Spend(ctx context.Context, limits *Limits, key string, cost uint32) (Verdict, error)

	// GiveBack undoes a Spend of cost whose verdict was at spentAt, as
	// [Limits.GiveBack] does.
	GiveBack(ctx context.Context, limits *Limits, key string, spentAt time.Time, cost uint32) error

	// Forget makes everything under key unspent, a lock among it.
	Forget(ctx context.Context, key string) error
}
