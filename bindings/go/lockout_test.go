package donjon_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

var forLockout = map[donjon.Purpose]donjon.Algorithm{
	donjon.PurposeToken: donjon.EdDSA, donjon.PurposeStateBinding: donjon.HS256, donjon.PurposeDevice: donjon.HS256,
}

func lockoutKeys(t testing.TB) *donjon.Keyring {
	t.Helper()
	keys, err := donjon.GenerateKeyring(forLockout)
	ok(t, err)
	t.Cleanup(func() { keys.Close() })
	return keys
}

// newLockout counts in a table, which it returns.
func newLockout(t testing.TB, opts *donjon.LockoutOptions) (*donjon.Lockout, *donjon.LimitTable) {
	t.Helper()
	table := newTable(t)
	return lockoutOver(t, &donjon.Limiter{Store: table}, opts), table
}

func lockoutOver(t testing.TB, limiter *donjon.Limiter, opts *donjon.LockoutOptions) *donjon.Lockout {
	t.Helper()
	lockout, err := donjon.NewLockout(lockoutKeys(t), limiter, opts)
	ok(t, err)
	t.Cleanup(func() { lockout.Close() })
	return lockout
}

func reserve(t testing.TB, lockout *donjon.Lockout, logIn donjon.LogIn) *donjon.Attempt {
	t.Helper()
	attempt, err := lockout.Reserve(t.Context(), logIn)
	ok(t, err)
	return attempt
}

func locked(t testing.TB, lockout *donjon.Lockout, logIn donjon.LogIn) *donjon.LimitError {
	t.Helper()
	attempt, err := lockout.Reserve(t.Context(), logIn)
	var refused *donjon.LimitError
	if !errors.As(err, &refused) || !errors.Is(err, donjon.ErrRateLimited) || attempt != nil {
		t.Fatalf("not locked: %v, %v", attempt, err)
	}
	return refused
}

var ann = donjon.LogIn{Account: "ann@example.com", Address: "203.0.113.7", Subject: "1", State: "$argon2id$hash"}

func TestFiveFailuresLockForAQuarterOfAnHour(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	for range 5 {
		reserve(t, lockout, ann)
	}
	refused := locked(t, lockout, ann)
	if left := refused.Result.RetryAfter; left <= 14*time.Minute || left > 15*time.Minute {
		t.Errorf("locked for %v", left)
	}
	elsewhere := ann
	elsewhere.Address = "198.51.100.1"
	locked(t, lockout, elsewhere)
	other := ann
	other.Account = "ben@example.com"
	locked(t, lockout, other) // the address is locked
	other.Address = "198.51.100.1"
	reserve(t, lockout, other)
}

func TestALockTellsNobodyWhoExists(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	nobody := donjon.LogIn{Account: "nobody@example.com", Address: "203.0.113.8"}
	var refusals []string
	for _, logIn := range []donjon.LogIn{ann, nobody} {
		for range 5 {
			reserve(t, lockout, logIn)
		}
		refused := locked(t, lockout, logIn)
		refusals = append(refusals, fmt.Sprint(refused.Result.Limit, refused.Result.RetryAfter.Round(time.Minute), refused.Result.Charge))
	}
	equal(t, "refusal", refusals[0], refusals[1])
}

// Attack 44.
func TestParallelGuessesHashAtMostFiveTimes(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	var hashed atomic.Int32
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			guess := ann
			guess.Address = fmt.Sprintf("203.0.113.%d", i)
			if _, err := lockout.Reserve(t.Context(), guess); err == nil {
				hashed.Add(1)
			} else if !errors.Is(err, donjon.ErrRateLimited) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	equal(t, "hashes", hashed.Load(), 5)
}

func TestSuccessForgetsTheAccountButOnlyGivesBackToTheAddress(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	for range 4 {
		reserve(t, lockout, ann)
	}
	attempt := reserve(t, lockout, ann) // the fifth would lock
	ok(t, attempt.Succeeded(t.Context()))
	ok(t, attempt.Succeeded(t.Context())) // settles nothing twice
	ok(t, attempt.Withdraw(t.Context()))

	again := ann
	again.Address = ""
	for range 5 {
		reserve(t, lockout, again)
	}
	locked(t, lockout, again)

	neighbour := donjon.LogIn{Account: "ben", Address: ann.Address}
	reserve(t, lockout, neighbour) // of the address's four failures, none is forgotten
	neighbour.Account = "eve"
	locked(t, lockout, neighbour)
}

func TestAnAttemptThatWasNoGuessIsWithdrawn(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	for range 20 {
		ok(t, reserve(t, lockout, ann).Withdraw(t.Context()))
	}
	for range 5 {
		reserve(t, lockout, ann)
	}
	locked(t, lockout, ann)
}

func TestALockedAddressDoesNotLockAccounts(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	for i := range 5 {
		reserve(t, lockout, donjon.LogIn{Account: fmt.Sprint(i), Address: "203.0.113.66"})
	}
	for range 20 {
		locked(t, lockout, donjon.LogIn{Account: ann.Account, Address: "203.0.113.66"})
	}
	for range 5 {
		reserve(t, lockout, donjon.LogIn{Account: ann.Account})
	}
}

func TestAKnownDeviceLogsInThoughTheAccountIsLocked(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	token, err := lockout.DeviceToken(ann.Subject, ann.State, 30*24*time.Hour)
	ok(t, err)
	for range 5 {
		reserve(t, lockout, ann)
	}
	locked(t, lockout, ann)

	known := ann
	known.Device = token
	for range 5 {
		reserve(t, lockout, known) // by a counter of its own
	}
	locked(t, lockout, known)

	for name, change := range map[string]func(*donjon.LogIn){
		"another user's":     func(l *donjon.LogIn) { l.Subject = "2" },
		"another password's": func(l *donjon.LogIn) { l.State = "$argon2id$new" },
		"forged":             func(l *donjon.LogIn) { l.Device = tampered(token) },
		"junk":               func(l *donjon.LogIn) { l.Device = "a.b.c" },
		"ten megabytes":      func(l *donjon.LogIn) { l.Device = strings.Repeat("a", 10<<20) },
		"nobody's":           func(l *donjon.LogIn) { l.Subject, l.State = "", "" },
	} {
		logIn := known
		change(&logIn)
		refused := locked(t, lockout, logIn)
		equal(t, name, refused.Result.Charge, 0)
	}
	second, err := lockout.DeviceToken(ann.Subject, ann.State, 30*24*time.Hour)
	ok(t, err)
	known.Device = second
	attempt := reserve(t, lockout, known)
	ok(t, attempt.Succeeded(t.Context()))
	_, err = lockout.ReserveAt(t.Context(), known, time.Now().Add(31*24*time.Hour))
	if !errors.Is(err, donjon.ErrRateLimited) {
		t.Errorf("an expired token: %v", err)
	}
}

func TestTheStoreSeesNeitherAccountsNorAddresses(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	text, err := lockout.CountersJSON(ann, at)
	ok(t, err)
	if strings.Contains(string(text), "ann") || strings.Contains(string(text), "203") {
		t.Errorf("counters: %s", text)
	}
	var counters []map[string]string
	ok(t, json.Unmarshal(text, &counters))
	if len(counters) != 2 || counters[0]["on_success"] != "give_back" || counters[1]["on_success"] != "forget" {
		t.Errorf("counters: %s", text)
	}
}

func TestNobodyIsCalledThat(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	for name, want := range map[string]error{"": donjon.ErrInvalidArgument, strings.Repeat("a", 1025): donjon.ErrTooLarge} {
		if attempt, err := lockout.Reserve(t.Context(), donjon.LogIn{Account: name}); !errors.Is(err, want) || attempt != nil {
			t.Errorf("%.10q: %v", name, err)
		}
	}
	for _, name := range []string{"\xff", "a\x00b", "{}", ":"} {
		reserve(t, lockout, donjon.LogIn{Account: name})
	}
}

func TestAnAttemptIsSettledOnceHoweverManySettleIt(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	for range 3 {
		reserve(t, lockout, ann)
	}
	attempt := reserve(t, lockout, ann)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if err := attempt.Withdraw(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	reserve(t, lockout, ann)
	reserve(t, lockout, ann)
	locked(t, lockout, ann)
}

func TestLimitsOfALockoutAreChosenByKind(t *testing.T) {
	lockout, _ := newLockout(t, &donjon.LockoutOptions{
		Account: lockoutLimits(t, donjon.LockoutLimitsOptions{Attempts: 2, Lock: time.Minute, Growth: 2, MaxLock: time.Hour}),
		Address: parseLimits(t, "100/hour"),
	})
	reserve(t, lockout, ann)
	reserve(t, lockout, ann)
	if refused := locked(t, lockout, ann); refused.Result.RetryAfter > time.Minute {
		t.Errorf("%+v", refused.Result)
	}
}

func TestALockoutDoesAsThePolicySaysWhenTheStoreIsDown(t *testing.T) {
	closed := lockoutOver(t, &donjon.Limiter{Store: &failingStore{spend: down}, Report: new(reports).report}, nil)
	if attempt, err := closed.Reserve(t.Context(), ann); !errors.Is(err, donjon.ErrStoreUnavailable) || attempt != nil {
		t.Errorf("closed: %v", err)
	}
	open := lockoutOver(t, &donjon.Limiter{Store: &failingStore{spend: down}, OnFailure: donjon.FailOpen(), Report: new(reports).report}, nil)
	for range 10 {
		attempt := reserve(t, open, ann)
		if !errors.Is(attempt.Result.Failure, errDown) {
			t.Errorf("open: %+v", attempt.Result)
		}
		ok(t, attempt.Succeeded(t.Context())) // there is nothing to settle
	}
	fallback := newTable(t)
	reduced := lockoutOver(t, &donjon.Limiter{Store: &failingStore{spend: down}, OnFailure: donjon.FallBackTo(fallback), Report: new(reports).report}, nil)
	for range 4 {
		reserve(t, reduced, ann)
	}
	ok(t, reserve(t, reduced, ann).Withdraw(t.Context())) // where it was counted
	reserve(t, reduced, ann)
	locked(t, reduced, ann)
}

func TestAnAttemptIsSettledThoughTheClientHasGone(t *testing.T) {
	lockout, _ := newLockout(t, nil)
	for range 4 {
		reserve(t, lockout, ann)
	}
	ctx, cancel := context.WithCancel(t.Context())
	attempt, err := lockout.Reserve(ctx, ann)
	ok(t, err)
	cancel()
	ok(t, attempt.Succeeded(ctx))
	reserve(t, lockout, donjon.LogIn{Account: ann.Account})
}

func TestWhatCannotBeSettledIsReported(t *testing.T) {
	store := &failingStore{LimitTable: newTable(t), settle: func(context.Context) error { return errDown }}
	var reported reports
	lockout := lockoutOver(t, &donjon.Limiter{Store: store, Report: reported.report}, nil)
	err := reserve(t, lockout, ann).Succeeded(t.Context())
	if !errors.Is(err, donjon.ErrStoreUnavailable) || !errors.Is(err, errDown) {
		t.Errorf("settled: %v", err)
	}
	equal(t, "reports", reported.count(), 1)
}

func TestLockoutsThatAreNoneDecideNothing(t *testing.T) {
	if _, err := donjon.NewLockout(nil, nil, nil); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("of no keys: %v", err)
	}
	keys := newKeys(t)
	if _, err := donjon.NewLockout(keys, nil, nil); err == nil {
		t.Error("of keys without a device secret")
	}
	closed, _ := newLockout(t, nil)
	attempt := reserve(t, closed, ann)
	ok(t, closed.Close())
	ok(t, closed.Close())
	ok(t, attempt.Succeeded(t.Context()))
	without := lockoutOver(t, nil, nil)
	for name, lockout := range map[string]*donjon.Lockout{"nil": nil, "zero": new(donjon.Lockout), "closed": closed, "no limiter": without} {
		if attempt, err := lockout.Reserve(t.Context(), ann); !errors.Is(err, donjon.ErrClosed) || attempt != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "no limiter" {
			continue
		}
		if _, err := lockout.DeviceToken("1", "", time.Hour); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, attempt := range []*donjon.Attempt{nil, new(donjon.Attempt)} {
		if err := attempt.Succeeded(t.Context()); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("no attempt: %v", err)
		}
		if err := attempt.Withdraw(t.Context()); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("no attempt: %v", err)
		}
	}
	for _, ttl := range []time.Duration{0, -time.Second, time.Millisecond} {
		if token, err := without.DeviceToken("1", "", ttl); err == nil {
			t.Errorf("a token for %v: %s", ttl, token)
		}
	}
}
