package donjon_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// A failingStore is a table until it breaks: by then, calls end as it says.
type failingStore struct {
	*donjon.LimitTable
	spend  func(ctx context.Context, call int) error // nil: as the table
	settle func(ctx context.Context) error           // of giving back and forgetting
	calls  atomic.Int64
}

func (s *failingStore) Spend(ctx context.Context, limits *donjon.Limits, key string, cost uint32) (donjon.Verdict, error) {
	if call := s.calls.Add(1); s.spend != nil {
		if err := s.spend(ctx, int(call)); err != nil {
			return donjon.Verdict{Allowed: true}, err
		}
	}
	return s.LimitTable.Spend(ctx, limits, key, cost)
}

func (s *failingStore) GiveBack(ctx context.Context, limits *donjon.Limits, key string, spentAt time.Time, cost uint32) error {
	if s.settle != nil {
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	return s.LimitTable.GiveBack(ctx, limits, key, spentAt, cost)
}

func (s *failingStore) Forget(ctx context.Context, key string) error {
	if s.settle != nil {
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	return s.LimitTable.Forget(ctx, key)
}

func down(context.Context, int) error { return errDown }

// reports collects what a limiter reports.
type reports struct {
	mu  sync.Mutex
	all []error
}

func (r *reports) report(_ context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, err)
}

func (r *reports) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

func remaining(t testing.TB, store *donjon.LimitTable, limits *donjon.Limits, key string) int {
	t.Helper()
	verdict, err := store.Peek(limits, key)
	ok(t, err)
	return int(verdict.Remaining)
}

func TestResultHasTheFieldsOfRedisRate(t *testing.T) {
	limiter := &donjon.Limiter{Store: newTable(t)}
	limits := parseLimits(t, "5/minute")
	result, err := limiter.AllowN(t.Context(), limits, "key", 3)
	ok(t, err)
	equal(t, "limit", result.Limit, donjon.Limit{Rate: 5, Burst: 5, Period: time.Minute})
	equal(t, "allowed", result.Allowed, 3)
	equal(t, "remaining", result.Remaining, 2)
	equal(t, "retry after", result.RetryAfter, -1)
	if result.ResetAfter <= 35*time.Second || result.ResetAfter > 36*time.Second || result.Failure != nil {
		t.Errorf("%+v", result)
	}
	result, err = limiter.AllowN(t.Context(), limits, "key", 3)
	ok(t, err)
	equal(t, "allowed", result.Allowed, 0)
	equal(t, "remaining", result.Remaining, 2)
	if result.RetryAfter <= 11*time.Second || result.RetryAfter > 12*time.Second {
		t.Errorf("%+v", result)
	}
	result, err = limiter.AllowN(t.Context(), limits, "key", 6)
	ok(t, err)
	equal(t, "never", result.Allowed, 0)
	equal(t, "never", result.RetryAfter, donjon.NeverRetry)
	for range 2 {
		result, err = limiter.Peek(t.Context(), limits, "key")
		ok(t, err)
		equal(t, "peek", result.Allowed, 1)
		equal(t, "peek", result.Remaining, 2)
	}
	ok(t, limiter.Forget(t.Context(), "key"))
	result, err = limiter.Allow(t.Context(), limits, "key")
	ok(t, err)
	equal(t, "after forgetting", result.Remaining, 4)
}

func TestSeveralChargesAreSpentAllOrNothing(t *testing.T) {
	table := newTable(t)
	limiter := &donjon.Limiter{Store: table}
	wide, narrow := parseLimits(t, "100/hour"), parseLimits(t, "2/hour")
	charge := func() (donjon.Result, error) {
		return limiter.AllowAll(t.Context(),
			donjon.Charge{Limits: wide, Key: "tenant", Cost: 10}, donjon.Charge{Limits: narrow, Key: "user", Cost: 1})
	}
	for want := range 2 {
		result, err := charge()
		ok(t, err)
		equal(t, "allowed", result.Allowed, 1)
		equal(t, "charge", result.Charge, 1)
		equal(t, "remaining", result.Remaining, 1-want)
	}
	for range 3 {
		result, err := charge()
		ok(t, err)
		equal(t, "allowed", result.Allowed, 0)
		equal(t, "charge", result.Charge, 1)
		equal(t, "limit", result.Limit.Rate, 2)
		equal(t, "of the tenant", remaining(t, table, wide, "tenant"), 80)
	}
}

func TestAChargeCostsOneUnlessItSaysMore(t *testing.T) {
	limiter := &donjon.Limiter{Store: newTable(t)}
	limits := parseLimits(t, "3/hour")
	charges := []donjon.Charge{{Limits: limits, Key: "user"}, {Limits: limits, Key: "tenant", Cost: 2}}
	result, err := limiter.AllowAll(t.Context(), charges...)
	ok(t, err)
	equal(t, "remaining", result.Remaining, 1)
	equal(t, "charge", result.Charge, 1)
	equal(t, "the caller's charge", charges[0].Cost, 0)
	for range 2 {
		result, err = limiter.AllowN(t.Context(), limits, "user", 0)
		ok(t, err)
		equal(t, "looked at", result.Remaining, 2)
	}
}

func TestMistakesAreErrorsWhateverThePolicy(t *testing.T) {
	limits := parseLimits(t, "5/minute")
	limiter := &donjon.Limiter{Store: newTable(t), OnFailure: donjon.FailOpen(), Report: func(_ context.Context, err error) { t.Error(err) }}
	for name, c := range map[string]struct {
		limiter *donjon.Limiter
		charges []donjon.Charge
		want    error
	}{
		"no limiter":      {nil, []donjon.Charge{{Limits: limits, Cost: 1}}, donjon.ErrClosed},
		"a zero limiter":  {new(donjon.Limiter), []donjon.Charge{{Limits: limits, Cost: 1}}, donjon.ErrClosed},
		"no limits":       {limiter, []donjon.Charge{{Limits: limits, Cost: 1}, {Cost: 1}}, donjon.ErrClosed},
		"zero limits":     {limiter, []donjon.Charge{{Limits: new(donjon.Limits), Cost: 1}}, donjon.ErrClosed},
		"no charges":      {limiter, nil, donjon.ErrInvalidArgument},
		"a negative cost": {limiter, []donjon.Charge{{Limits: limits, Cost: -1}}, donjon.ErrInvalidArgument},
		"a huge cost":     {limiter, []donjon.Charge{{Limits: limits, Cost: math.MaxUint32 + 1}}, donjon.ErrInvalidArgument},
		"a long key":      {limiter, []donjon.Charge{{Limits: limits, Cost: 1}, {Limits: limits, Key: strings.Repeat("k", 1025), Cost: 1}}, donjon.ErrTooLarge},
		"no table": {&donjon.Limiter{Store: (*donjon.LimitTable)(nil), OnFailure: donjon.FailOpen()},
			[]donjon.Charge{{Limits: limits, Cost: 1}}, donjon.ErrClosed},
	} {
		result, err := c.limiter.AllowAll(t.Context(), c.charges...)
		if !errors.Is(err, c.want) || result.Allowed != 0 {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
	if remaining(t, limiter.Store.(*donjon.LimitTable), limits, "") != 5 {
		t.Error("a mistake has spent")
	}
	if err := (*donjon.Limiter)(nil).Forget(t.Context(), "key"); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("no limiter forgets: %v", err)
	}
}

// Attack 46.
func TestAStoreThatIsDownHasTheChosenOutcomeAndIsReported(t *testing.T) {
	limits := parseLimits(t, "2/minute")
	fallback := newTable(t)
	for name, c := range map[string]struct {
		policy  donjon.FailurePolicy
		allowed []int
		err     error
	}{
		"zero":        {donjon.FailurePolicy{}, []int{0, 0, 0}, donjon.ErrStoreUnavailable},
		"fail closed": {donjon.FailClosed(), []int{0, 0, 0}, donjon.ErrStoreUnavailable},
		"fail open":   {donjon.FailOpen(), []int{1, 1, 1}, nil},
		"fall back":   {donjon.FallBackTo(fallback), []int{1, 1, 0}, nil},
	} {
		var reported reports
		limiter := &donjon.Limiter{
			Store: &failingStore{LimitTable: newTable(t), spend: down}, OnFailure: c.policy, Report: reported.report,
		}
		for i, want := range c.allowed {
			result, err := limiter.Allow(t.Context(), limits, "key")
			if !errors.Is(err, c.err) || result.Allowed != want {
				t.Errorf("%s: %+v, %v", name, result, err)
			}
			if !errors.Is(result.Failure, errDown) || !errors.Is(result.Failure, donjon.ErrStoreUnavailable) {
				t.Errorf("%s: the failure is %v", name, result.Failure)
			}
			equal(t, name+": reports", reported.count(), i+1)
		}
	}
	result, err := (&donjon.Limiter{
		Store: &failingStore{spend: down}, OnFailure: donjon.FallBackTo(new(donjon.LimitTable)), Report: new(reports).report,
	}).Allow(t.Context(), limits, "key")
	if !errors.Is(err, donjon.ErrClosed) || result.Allowed != 0 {
		t.Errorf("a fallback that is none: %+v, %v", result, err)
	}
}

func TestFailuresAreLoggedWhereNobodyIsToldOfThem(t *testing.T) {
	limits := parseLimits(t, "2/minute")
	var log bytes.Buffer
	limiter := &donjon.Limiter{
		Store: &failingStore{spend: down}, OnFailure: donjon.FailOpen(), Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}
	_, err := limiter.Allow(t.Context(), limits, "secret key")
	ok(t, err)
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "reason.code=store_unavailable") ||
		!strings.Contains(log.String(), "the store is down") || strings.Contains(log.String(), "secret") {
		t.Errorf("logged %s", log.String())
	}
	before := slog.Default()
	defer slog.SetDefault(before)
	var byDefault bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&byDefault, nil)))
	limiter.Logger = nil
	_, err = limiter.Allow(t.Context(), limits, "key")
	ok(t, err)
	if !strings.Contains(byDefault.String(), "the store is down") {
		t.Errorf("logged %s", byDefault.String())
	}
}

func slow(ctx context.Context, _ int) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestASlowStoreIsNotWaitedForForever(t *testing.T) {
	limits := parseLimits(t, "2/minute")
	var reported reports
	limiter := &donjon.Limiter{
		Store: &failingStore{LimitTable: newTable(t), spend: slow}, OnFailure: donjon.FailOpen(),
		Timeout: 20 * time.Millisecond, Report: reported.report,
	}
	began := time.Now()
	result, err := limiter.Allow(t.Context(), limits, "key")
	ok(t, err)
	if !errors.Is(result.Failure, context.DeadlineExceeded) || time.Since(began) > time.Second || result.Allowed != 1 {
		t.Errorf("%+v after %v", result, time.Since(began))
	}
	limiter.Timeout = -1
	deadline, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	result, err = limiter.Allow(deadline, limits, "key")
	ok(t, err)
	if !errors.Is(result.Failure, context.DeadlineExceeded) {
		t.Errorf("%+v", result)
	}
	equal(t, "reports", reported.count(), 2)
}

func TestATimeThatWasOverBeforeTheStoreWasAskedIsTheCallersOwn(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	limiter := &donjon.Limiter{
		Store: newTable(t), OnFailure: donjon.FailOpen(), Report: func(_ context.Context, err error) { t.Error(err) },
	}
	result, err := limiter.Allow(ctx, parseLimits(t, "2/minute"), "key")
	if !errors.Is(err, context.DeadlineExceeded) || result.Allowed != 0 {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestACanceledRequestIsNotAllowedAndIsNoFailureOfTheStore(t *testing.T) {
	limits := parseLimits(t, "2/minute")
	for name, policy := range map[string]donjon.FailurePolicy{
		"open": donjon.FailOpen(), "closed": donjon.FailClosed(), "fall back": donjon.FallBackTo(newTable(t)),
	} {
		ctx, cancel := context.WithCancel(t.Context())
		store := &failingStore{LimitTable: newTable(t), spend: func(ctx context.Context, call int) error {
			if call == 2 { // in the midst of the second charge
				cancel()
				return slow(ctx, call)
			}
			return nil
		}}
		limiter := &donjon.Limiter{Store: store, OnFailure: policy, Report: func(_ context.Context, err error) { t.Error(err) }}
		result, err := limiter.AllowAll(ctx,
			donjon.Charge{Limits: limits, Key: "a", Cost: 2}, donjon.Charge{Limits: limits, Key: "b", Cost: 1})
		if !errors.Is(err, context.Canceled) || result.Allowed != 0 {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
		equal(t, name+": what the first charge left", remaining(t, store.LimitTable, limits, "a"), 2)
	}
}

func TestAStoreThatBreaksBetweenChargesKeepsNoneOfThem(t *testing.T) {
	limits := parseLimits(t, "2/minute")
	fallback := newTable(t)
	store := &failingStore{LimitTable: newTable(t), spend: func(_ context.Context, call int) error {
		if call%2 == 0 {
			return errDown
		}
		return nil
	}}
	var reported reports
	limiter := &donjon.Limiter{Store: store, OnFailure: donjon.FallBackTo(fallback), Report: reported.report}
	charges := []donjon.Charge{{Limits: limits, Key: "a", Cost: 2}, {Limits: limits, Key: "b", Cost: 1}}
	result, err := limiter.AllowAll(t.Context(), charges...)
	ok(t, err)
	equal(t, "allowed", result.Allowed > 0, true)
	equal(t, "left in the store", remaining(t, store.LimitTable, limits, "a"), 2)
	equal(t, "left in the fallback", remaining(t, fallback, limits, "a"), 0)
	equal(t, "left in the fallback", remaining(t, fallback, limits, "b"), 1)
	equal(t, "reports", reported.count(), 1)

	// What cannot be given back either stays spent, and is reported too.
	store.settle = func(context.Context) error { return errDown }
	result, err = limiter.AllowAll(t.Context(), charges...)
	ok(t, err)
	equal(t, "allowed", result.Allowed, 0)
	equal(t, "left in the store", remaining(t, store.LimitTable, limits, "a"), 0)
	equal(t, "reports", reported.count(), 3)
}

// A store that lies decides, but cannot crash anybody.
type lyingStore struct{ donjon.Verdict }

func (s lyingStore) Spend(context.Context, *donjon.Limits, string, uint32) (donjon.Verdict, error) {
	return s.Verdict, nil
}

func (s lyingStore) GiveBack(context.Context, *donjon.Limits, string, time.Time, uint32) error {
	return nil
}
func (s lyingStore) Forget(context.Context, string) error { return nil }

func TestVerdictsThatMakeNoSenseAreHarmless(t *testing.T) {
	limits := parseLimits(t, "2/minute")
	for _, verdict := range []donjon.Verdict{
		{}, {Index: -1}, {Index: math.MaxInt}, {Allowed: true, NeverAllowed: true}, {Limit: math.MaxUint32, Remaining: math.MaxUint32},
		{RetryAfter: math.MinInt64, ResetAfter: math.MinInt64, Keep: math.MinInt64}, {Allowed: true, Index: 9, RetryAfter: math.MaxInt64},
		{At: time.UnixMilli(math.MaxInt64)}, {At: time.UnixMilli(math.MinInt64)},
	} {
		result, err := (&donjon.Limiter{Store: lyingStore{verdict}}).Allow(t.Context(), limits, "key")
		ok(t, err)
		equal(t, "allowed", result.Allowed > 0, verdict.Allowed)
		w := serveLimited(donjon.RateLimit(&donjon.Limiter{Store: lyingStore{verdict}}, donjon.RateLimitOptions{Limits: limits}), nil)
		if w.Code == 200 && !verdict.Allowed || w.Code != 200 && w.Code != 429 && w.Code != 500 {
			t.Errorf("%+v: %d", verdict, w.Code)
		}
	}
}

func TestALimitErrorSaysHowLong(t *testing.T) {
	err := error(&donjon.LimitError{Result: donjon.Result{RetryAfter: 12 * time.Second}})
	if !errors.Is(err, donjon.ErrRateLimited) || !strings.HasSuffix(err.Error(), "; retry after 12s") {
		t.Error(err)
	}
	never := &donjon.LimitError{Result: donjon.Result{RetryAfter: donjon.NeverRetry}}
	equal(t, "never", never.Error(), donjon.ErrRateLimited.Error())
}
