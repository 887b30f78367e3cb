package donjon_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/storetest"
)

func TestRevocationsInMemory(t *testing.T) {
	storetest.Revocations(t, func(testing.TB) donjon.RecordStore { return new(donjon.MemoryRecords) })
}

// It is enough that the writing is quick: the time is that of after the reading.
func TestASubjectIsRevokedInAStoreThatReadsSlowly(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{})
	f := fixtureOf(t, s.keys, donjon.EdDSA)
	now := time.Now()
	store := new(countingStore)
	revocations, err := donjon.NewRevocations(s.keys, store, donjon.RevocationsOptions{
		Clock: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	})
	ok(t, err)
	ok(t, revocations.RevokeToken(t.Context(), "bob", "x", time.Now().Add(time.Hour))) // which begins the store
	now = now.Add(2 * time.Second)
	token, err := f.issuer.Access(donjon.Grant{Subject: "ann"})
	ok(t, err)
	claims, err := f.verifier.Verify(token)
	ok(t, err)
	store.slow = func() { now = now.Add(2 * time.Second) }
	before := store.asked.Load()
	ok(t, revocations.RevokeSubject(t.Context(), "ann"))
	equal(t, "how often the store was read", store.asked.Load()-before, 1)
	if err := revocations.Check(t.Context(), claims); !errors.Is(err, donjon.ErrRevoked) {
		t.Errorf("a token from before: %v", err)
	}
}

// Claims that were never verified are refused by whatever takes some.
func TestNoClaimsPass(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{})
	f := fixtureOf(t, s.keys, donjon.EdDSA)
	offline := donjon.NewOfflineRevocations(func() *donjon.Keyring { return s.keys }, donjon.OfflineRevocationsOptions{})
	set, err := s.manager.Revocations().Publish(t.Context(), s.keys, time.Minute)
	ok(t, err)
	ok(t, offline.Update(set))
	defer offline.Close()
	ctx := t.Context()
	for what, call := range map[string]func() error{
		"check":         func() error { return s.manager.Revocations().Check(ctx, nil) },
		"revoke":        func() error { return s.manager.Revocations().Revoke(ctx, nil) },
		"check offline": func() error { return offline.Check(ctx, nil) },
		"log out":       func() error { return s.manager.LogOutTokens(ctx, nil) },
		"refresh": func() error {
			_, err := s.manager.RefreshTokens(ctx, f.issuer, nil, donjon.SessionClient{}, donjon.Grant{})
			return err
		},
		"rotate": func() error {
			_, err := f.issuer.RotateRefresh(ctx, nil, nil, time.Second, donjon.Grant{})
			return err
		},
		"subject": func() error {
			_, err := newPolicy(t, documents).TokenSubject(nil, "")
			return err
		},
	} {
		if err := call(); !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, is := donjon.FromContext(donjon.NewContext(ctx, nil)); is {
		t.Error("a context carries no claims, and says that it does")
	}
	for what, call := range map[string]func() error{
		"verify": func() error { _, err := (*donjon.Verifier)(nil).Verify("a.b.c"); return err },
		"issue":  func() error { _, err := (*donjon.Issuer)(nil).Access(donjon.Grant{Subject: "ann"}); return err },
		"mint": func() error {
			_, err := (*donjon.PurposeTokens)(nil).Mint(donjon.Binding{Purpose: "reset", Subject: "ann"}, time.Minute)
			return err
		},
		"check": func() error { return (*donjon.PurposeTokens)(nil).Check("a.b.c", donjon.Binding{}) },
	} {
		if err := call(); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("%s by none: %v", what, err)
		}
	}
}
