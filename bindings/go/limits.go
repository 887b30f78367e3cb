package donjon

import (
	"runtime"
	"slices"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// Limits are how often something may happen: "10/minute", or several such limits
// at once, which are spent all or nothing. They hold no state: what somebody has
// spent is in a [LimitTable] or another [LimitStore], under a key.
//
// Limits never change, are safe for concurrent use, and need not be closed.
type Limits struct {
	kept      *kept[abi.Limits]
	algorithm LimitAlgorithm
	items     []Limit
	args      *serverArgs
}

// A Limit is one of [Limits].
type Limit struct {
	Rate   int           // how often in a period
	Burst  int           // how much at once; equal to Rate where the algorithm has no burst of its own
	Period time.Duration // in whole seconds
}

// ParseLimits reads limits as people write them, to be decided by [GCRA]:
// "10/minute", "5 per 1 hour", "10/second; 100/hour", from seconds to years (a
// month has 30 days, a year 360). What is refused is a [*ConfigError] that says
// where.
func ParseLimits(spec string) (*Limits, error) { return NewLimits(LimitsOptions{Limits: spec}) }

// MustParseLimits is [ParseLimits] for variables of a package: it panics on what
// is refused.
func MustParseLimits(spec string) *Limits {
	limits, err := ParseLimits(spec)
	if err != nil {
		panic(err.Error())
	}
	return limits
}

// NewLimits makes limits.
func NewLimits(opts LimitsOptions) (*Limits, error) { return newLimits(opts.document()) }

// LockoutLimits makes the limits of a lock-out: so many attempts, and then none
// for a while. See [Lockout].
func LockoutLimits(opts LockoutLimitsOptions) (*Limits, error) {
	config, err := opts.document()
	if err != nil {
		return nil, err
	}
	return newLimits(config)
}

// LimitProfile makes the limits of an endpoint that the kernel has ready, such as
// "session-cluster/session_create"; [LimitProfiles] lists them.
func LimitProfile(name string) (*Limits, error) {
	var d document
	d.string("profile", name)
	return newLimits(d.end())
}

// LimitsFromConfig makes limits of the kernel's own configuration document, a JSON
// object that is the same in every language.
func LimitsFromConfig(config []byte) (*Limits, error) { return newLimits(abi.Text(config)) }

func newLimits(config string) (*Limits, error) {
	l, status := abi.NewLimits(config)
	err := accepted(status, func() ([]byte, int32) { return abi.LimitsDiagnose(config) })
	if err != nil {
		return nil, err
	}
	limits := &Limits{kept: keep(l, abi.Limits.Free), args: new(serverArgs)}
	if err := limits.read(); err != nil {
		return nil, err
	}
	return limits, nil
}

// read learns from the kernel what the limits are.
func (l *Limits) read() error {
	text, err := l.MarshalJSON()
	description, err := decoded[struct {
		Algorithm LimitAlgorithm `json:"algorithm"`
		Limits    []struct {
			Amount int   `json:"amount"`
			Period int64 `json:"period_s"`
			Burst  int   `json:"burst"`
		} `json:"limits"`
	}](text, err)
	if err != nil {
		return err
	}
	l.algorithm = description.Algorithm
	for _, one := range description.Limits {
		burst := one.Burst
		if burst == 0 {
			burst = one.Amount
		}
		l.items = append(l.items, Limit{Rate: one.Amount, Burst: burst, Period: time.Duration(one.Period) * time.Second})
	}
	return nil
}

// Algorithm returns how the limits are decided: of those of [LockoutLimits],
// "lockout".
func (l *Limits) Algorithm() LimitAlgorithm {
	if l == nil {
		return ""
	}
	return l.algorithm
}

// Items returns the limits one by one, in the order that they were written in.
func (l *Limits) Items() []Limit {
	if l == nil {
		return nil
	}
	return slices.Clone(l.items)
}

// item returns the limit that a verdict is about.
func (l *Limits) item(index int) Limit {
	if l == nil || index < 0 || index >= len(l.items) {
		return Limit{}
	}
	return l.items[index]
}

// MarshalJSON implements [encoding/json.Marshaler]: the limits as the kernel
// describes them.
func (l *Limits) MarshalJSON() ([]byte, error) { return l.answer(abi.Limits.Describe) }

// Spend decides about a cost at a time, on the state that a store has of a key,
// which is empty at first, and returns the next state to store. It decides and
// stores nothing itself: stores call it. A cost of zero is a peek, which spends
// nothing: its verdict is that about a cost of one.
func (l *Limits) Spend(state []byte, now time.Time, cost uint32) (Verdict, []byte, error) {
	limits, err := l.borrow()
	if err != nil {
		return Verdict{}, nil, err
	}
	defer runtime.KeepAlive(l.kept)
	nowMS := now.UnixMilli()
	verdict, next, status := limits.Spend(abi.Text(state), nowMS, cost)
	if err := failure(status); err != nil {
		return Verdict{}, nil, err
	}
	return verdictAt(verdict, nowMS), next, nil
}

// GiveBack returns the state without a cost that was spent at spentAt, which is
// the verdict's At. What has been had back since by the passing of time is not
// given twice.
func (l *Limits) GiveBack(state []byte, spentAt, now time.Time, cost uint32) ([]byte, error) {
	return l.answer(func(limits abi.Limits) ([]byte, int32) {
		return limits.GiveBack(abi.Text(state), spentAt.UnixMilli(), now.UnixMilli(), cost)
	})
}

// borrow returns the kernel's object, for a call after which l.kept is still
// alive.
func (l *Limits) borrow() (abi.Limits, error) {
	if l == nil || l.kept == nil {
		return abi.Limits{}, ErrClosed
	}
	return l.kept.object, nil
}

// answer is for a call that answers with a text.
func (l *Limits) answer(call func(abi.Limits) ([]byte, int32)) ([]byte, error) {
	limits, err := l.borrow()
	if err != nil {
		return nil, err
	}
	defer runtime.KeepAlive(l.kept)
	text, status := call(limits)
	return text, failure(status)
}
