package donjon

import (
	"fmt"
	"math"
	"net/http"
	"time"
)

// A Result is what came of charges. Its first fields are those of the same names in
// github.com/go-redis/redis_rate.
type Result struct {
	Limit      Limit         // the limit that this is about
	Allowed    int           // the cost if it was allowed, 1 if only looked at; 0 if it was refused
	Remaining  int           // what the limit has left
	RetryAfter time.Duration // until the same cost is allowed: -1 if it was, [NeverRetry] if it never will be
	ResetAfter time.Duration // until nothing is spent

	// Charge is which of the charges this is about.
	Charge int

	// Verdict is what the kernel said. It is zero if the store did not answer and
	// the policy allowed or refused without it.
	Verdict Verdict

	// Failure is that the store did not answer, and why, whatever the policy made
	// of it; nil if it did.
	Failure error

	limits *Limits // of the charge
}

// NeverRetry is the [Result.RetryAfter] of a cost that is more than the limit ever
// has.
const NeverRetry time.Duration = math.MaxInt64

func resultOf(index int, charge Charge, v Verdict) Result {
	result := Result{
		Limit: charge.Limits.item(v.Index), Charge: index, Verdict: v,
		Remaining: int(v.Remaining), RetryAfter: -1, ResetAfter: v.ResetAfter, limits: charge.Limits,
	}
	switch {
	case v.Allowed:
		result.Allowed = max(charge.Cost, 1)
	case v.NeverAllowed:
		result.RetryAfter = NeverRetry
	default:
		result.RetryAfter = v.RetryAfter
	}
	return result
}

// tighterThan orders what was allowed, as the kernel does within one list.
func (r *Result) tighterThan(other *Result) bool {
	if r.Remaining != other.Remaining {
		return r.Remaining < other.Remaining
	}
	return r.ResetAfter > other.ResetAfter
}

// SetHeaders sets the fields of a response that tell a client about r; none if
// nothing is known.
func (r *Result) SetHeaders(h http.Header, fields LimitHeaders) error {
	if r.limits == nil {
		return nil
	}
	pairs, err := r.limits.Headers(r.Verdict, fields)
	for _, pair := range pairs {
		h.Set(pair[0], pair[1])
	}
	return err
}

// Refuse answers that a limit is spent: 429 with the fields of [Result.SetHeaders],
// Retry-After among them, and the body of [Verdict.Refusal].
func (r *Result) Refuse(w http.ResponseWriter, fields LimitHeaders, code string) error {
	body, err := r.Verdict.Refusal(code)
	if err != nil {
		return err
	}
	if err := r.SetHeaders(w.Header(), fields); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write(body) // the client has gone, and is refused all the same
	return nil
}

// A LimitError is [ErrRateLimited], with the result.
type LimitError struct {
	Result Result
}

// Error says for how long.
func (e *LimitError) Error() string {
	text := ErrRateLimited.Error()
	if e.Result.RetryAfter == NeverRetry {
		return text
	}
	return fmt.Sprintf("%s; retry after %v", text, e.Result.RetryAfter)
}

// Unwrap returns [ErrRateLimited].
func (e *LimitError) Unwrap() error { return ErrRateLimited }
