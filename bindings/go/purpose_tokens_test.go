package donjon_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func newPurposeTokens(t testing.TB, keys *donjon.Keyring) *donjon.PurposeTokens {
	t.Helper()
	tokens, err := donjon.NewPurposeTokens(keys)
	ok(t, err)
	t.Cleanup(func() { tokens.Close() })
	return tokens
}

func TestPurposeTokenIsGoodForWhatItIsBoundTo(t *testing.T) {
	f := newFixture(t)
	tokens := newPurposeTokens(t, f.keys)
	binding := donjon.Binding{Purpose: "reset", Subject: "u", State: "\x00hash\xff"}
	token, err := tokens.MintAt(binding, time.Hour, at)
	ok(t, err)
	ok(t, tokens.CheckAt(token, binding, at))

	for name, c := range map[string]struct {
		token   string
		binding donjon.Binding
		now     time.Time
	}{
		"other purpose":      {token, donjon.Binding{Purpose: "invite", Subject: "u", State: binding.State}, at},
		"other subject":      {token, donjon.Binding{Purpose: "reset", Subject: "v", State: binding.State}, at},
		"other state":        {token, donjon.Binding{Purpose: "reset", Subject: "u", State: "\x00hash\xfe"}, at},
		"state cut at NUL":   {token, donjon.Binding{Purpose: "reset", Subject: "u", State: "\x00"}, at},
		"expired":            {token, binding, at.Add(time.Hour)},
		"tampered":           {tampered(token), binding, at},
		"no token":           {"", binding, at},
		"an access token":    {f.access(t, "u"), binding, time.Now()},
		"not UTF-8":          {token, donjon.Binding{Purpose: "reset", Subject: "\xff", State: binding.State}, at},
		"not a purpose":      {token, donjon.Binding{Purpose: "Reset!", Subject: "u", State: binding.State}, at},
		"bound to nothing":   {token, donjon.Binding{}, at},
		"before its issue":   {token, binding, at.Add(-time.Hour)},
		"joined differently": {token, donjon.Binding{Purpose: "reset", Subject: "u\x00", State: "hash\xff"}, at},
	} {
		if err := tokens.CheckAt(c.token, c.binding, c.now); err == nil {
			t.Errorf("%s passes", name)
		} else if !errors.Is(err, donjon.ErrInvalid) && !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.verifier.VerifyAt(token, at); err == nil {
		t.Error("a purpose token passes for an access token")
	}
}

func TestPurposeTokenIsConsumedOnce(t *testing.T) {
	tokens := newPurposeTokens(t, newFixture(t).keys)
	for range 100 {
		var state atomic.Value
		state.Store("old hash")
		binding := donjon.Binding{Purpose: "reset", Subject: "u", State: "old hash"}
		token, err := tokens.Mint(binding, time.Hour)
		ok(t, err)

		// Both read the state, check the token and find it good; one swaps.
		checked := make(chan struct{}, 2)
		both := make(chan struct{})
		go func() { <-checked; <-checked; close(both) }()
		var consumed, refused atomic.Int32
		var group sync.WaitGroup
		for _, next := range []string{"hash of one", "hash of the other"} {
			group.Go(func() {
				err := tokens.Consume(t.Context(), token, binding, func(context.Context) (bool, error) {
					checked <- struct{}{}
					<-both
					return state.CompareAndSwap(binding.State, next), nil
				})
				switch {
				case err == nil:
					consumed.Add(1)
				case errors.Is(err, donjon.ErrInvalid):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if consumed.Load() != 1 || refused.Load() != 1 {
			t.Fatalf("consumed %d times, refused %d times", consumed.Load(), refused.Load())
		}

		binding.State = state.Load().(string)
		if err := tokens.Check(token, binding); !errors.Is(err, donjon.ErrInvalid) {
			t.Fatalf("after its use: %v", err)
		}
	}
}

func TestBadTokenIsNotConsumed(t *testing.T) {
	tokens := newPurposeTokens(t, newFixture(t).keys)
	err := tokens.Consume(t.Context(), "forged", donjon.Binding{Purpose: "reset", Subject: "u"}, func(context.Context) (bool, error) {
		t.Error("the state was swapped")
		return true, nil
	})
	if !errors.Is(err, donjon.ErrInvalid) {
		t.Error(err)
	}
}

func TestFailureOfTheStoreIsNoConsumption(t *testing.T) {
	tokens := newPurposeTokens(t, newFixture(t).keys)
	binding := donjon.Binding{Purpose: "reset", Subject: "u", State: "s"}
	token, err := tokens.Mint(binding, time.Minute)
	ok(t, err)
	down := errors.New("the store is down")
	if err := tokens.Consume(t.Context(), token, binding, func(context.Context) (bool, error) { return true, down }); err != down {
		t.Error(err)
	}
}

func TestPurposeTokensRefuseWhatTheyCannotKeep(t *testing.T) {
	tokens := newPurposeTokens(t, newFixture(t).keys)
	binding := donjon.Binding{Purpose: "reset", Subject: "u", State: "s"}
	for _, ttl := range []time.Duration{0, -time.Second, time.Second / 2} {
		if _, err := tokens.Mint(binding, ttl); !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Errorf("a life of %v: %v", ttl, err)
		}
	}
	for _, purpose := range []string{"", "at", "rt", "Reset", "a b", "-a"} {
		binding.Purpose = purpose
		if _, err := tokens.Mint(binding, time.Minute); !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Errorf("purpose %q: %v", purpose, err)
		}
	}
}
