package donjon

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// RateLimitOptions say what [RateLimit] limits.
type RateLimitOptions struct {
	// Limits are what each key may do.
	Limits *Limits

	// Key returns by what a request is counted, such as "user:42". If Key is nil or
	// returns "", it is the client's [Client.Bucket], as Proxies see it. Nobody whose
	// key reads like an address is counted with those at that address.
	Key     func(*http.Request) string
	Proxies *Proxies

	// Scope is what the limits are shared by: handlers of the same Scope, here or in
	// another service, have one allowance. If empty, it is the [http.Request.Pattern],
	// so that each route that is wrapped has its own. That is empty around a mux, and
	// the same for all that wrap one route: where there are several, each needs a
	// Scope. It has no colon in it.
	Scope string

	// Cost returns what a request costs; if nil, 1. A request of no cost is let
	// through while one of cost 1 would be. What is negative is answered with 500.
	Cost func(*http.Request) int

	// Also returns what else a request is charged, by limits of their own, such as
	// those of its tenant: all of it is spent, or nothing. They are charged after
	// Limits, in their order: see [Limiter.AllowAll]. Their keys are used as they are,
	// without the Scope.
	Also func(*http.Request) []Charge

	// Exempt reports whether a request is not counted at all, as those of a health
	// check.
	Exempt func(*http.Request) bool

	// Headers are the fields of every response, joined by |; if zero, [XRateLimit].
	Headers LimitHeaders

	// Code is the error's code in the body of a refusal; if empty, "rate_limited".
	Code string

	// Refuse answers a request in place of the 429 that [Result.Refuse] writes.
	Refuse func(http.ResponseWriter, *http.Request, Result)

	// Logger is told which requests were refused and why. The client is told what
	// [Result.Refuse] tells, and nothing of a failure.
	Logger *slog.Logger
}

// RateLimit returns middleware that serves requests while their limits last, and
// answers all others with 429. The fields of the response are set before the
// handler runs, which is passed the [http.ResponseWriter] as it came. Where the
// limiter cannot decide, the answer is 503; what it decides without its store, by
// its policy, is served.
//
// Wrap a route to limit it, or a mux to limit all of its routes together. Of several
// around one handler, a response tells of the innermost that was asked. Inside of
// [RequireToken], Key finds the claims; outside of it, tokens are not looked at
// before the limit is.
//
// Like [http.ServeMux.Handle], RateLimit panics on a mistake in the program: no
// limiter, no limits, a colon in the scope, or fields or a code that there cannot be.
func RateLimit(limiter *Limiter, opts RateLimitOptions) func(http.Handler) http.Handler {
	if err := checkRateLimit(limiter, &opts); err != nil {
		panic(err.Error())
	}
	limit := &rateLimit{RateLimitOptions: opts, limiter: limiter}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if limit.admit(w, r) {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// checkRateLimit finds the mistakes in the program, so that no request does.
func checkRateLimit(limiter *Limiter, opts *RateLimitOptions) error {
	if limiter == nil || limiter.Store == nil {
		return errors.New("donjon: a rate limit without a limiter and its store")
	}
	if strings.Contains(opts.Scope, ":") {
		return fmt.Errorf("donjon: a colon in the scope %q", opts.Scope)
	}
	example := Verdict{At: time.Now()}
	if _, err := opts.Limits.Headers(example, opts.Headers); err != nil {
		return fmt.Errorf("donjon: a rate limit with such limits or header fields: %w", err)
	}
	if _, err := example.Refusal(opts.Code); err != nil {
		return fmt.Errorf("donjon: a rate limit with such a code: %w", err)
	}
	return nil
}

type rateLimit struct {
	RateLimitOptions
	limiter *Limiter
}

// admit reports whether r is served. If not, it is answered.
func (l *rateLimit) admit(w http.ResponseWriter, r *http.Request) bool {
	if l.Exempt != nil && l.Exempt(r) {
		return true
	}
	result, err := l.charge(r)
	if err == nil && result.Allowed > 0 {
		err = result.SetHeaders(w.Header(), l.Headers)
		if err == nil {
			return true
		}
	}
	if err == nil {
		err = l.refuse(w, r, result)
	}
	if err != nil {
		l.fail(w, r, err)
	}
	return false
}

func (l *rateLimit) charge(r *http.Request) (Result, error) {
	key, err := l.key(r)
	if err != nil {
		return Result{}, err
	}
	cost := 1
	if l.Cost != nil {
		cost = l.Cost(r)
	}
	charges := []Charge{{l.Limits, key, cost}}
	if l.Also != nil {
		charges = append(charges, withCosts(l.Also(r))...)
	}
	_, result, err := l.limiter.reserve(r.Context(), charges)
	return result, err
}

// key is the scope and what the request is counted by. Of a Scope, it is the same in
// all languages.
func (l *rateLimit) key(r *http.Request) (string, error) {
	scope := l.Scope
	if scope == "" {
		scope = strings.ReplaceAll(r.Pattern, ":", "%3A")
	}
	if l.Key != nil {
		if key := l.Key(r); key != "" {
			return scope + ":" + key, nil
		}
		if l.Scope == "" {
			scope += "/" // which no pattern has before "/address"
		}
		scope += "/address" // so that nobody's key is an address
	}
	client, err := l.Proxies.Client(r)
	if errors.Is(err, ErrMalformed) {
		return "", errNoAddress
	}
	return scope + ":" + client.Bucket, err
}

// errNoAddress is a mistake in how the service is put together, and none of the
// client's.
var errNoAddress = errors.New("donjon: the peer has no address: say in Proxies which header tells it")

// fail answers a request that could not be decided about.
func (l *rateLimit) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := httpStatus(err)
	if errors.Is(err, ErrTooLarge) {
		status = http.StatusBadRequest // its key, which the client has written
	}
	refuse(w, r, toldOf(r, err, l.Logger), status, logged(err))
}

func (l *rateLimit) refuse(w http.ResponseWriter, r *http.Request, result Result) error {
	logRefusal(r, l.Logger, http.StatusTooManyRequests, logged(ErrRateLimited))
	if l.Refuse != nil {
		if err := result.SetHeaders(w.Header(), l.Headers); err != nil {
			return err
		}
		l.Refuse(w, r, result)
		return nil
	}
	return result.Refuse(w, l.Headers, l.Code)
}
