package donjon_test

import (
	"errors"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestRevocation(t *testing.T) {
	alive := donjon.RevocationFacts{IssuedAt: at, StoreSince: at.Add(-time.Hour)}
	for name, c := range map[string]struct {
		change func(*donjon.RevocationFacts)
		want   error
	}{
		"alive":                        {func(*donjon.RevocationFacts) {}, nil},
		"nothing known":                {func(f *donjon.RevocationFacts) { *f = donjon.RevocationFacts{} }, donjon.ErrRevoked},
		"no time of issue":             {func(f *donjon.RevocationFacts) { f.IssuedAt = time.Time{} }, donjon.ErrMissingClaim},
		"no marker":                    {func(f *donjon.RevocationFacts) { f.StoreSince = time.Time{} }, donjon.ErrRevoked},
		"from before the marker":       {func(f *donjon.RevocationFacts) { f.StoreSince = at.Add(time.Second) }, donjon.ErrRevoked},
		"token":                        {func(f *donjon.RevocationFacts) { f.TokenRevoked = true }, donjon.ErrRevoked},
		"family":                       {func(f *donjon.RevocationFacts) { f.FamilyRevoked = true }, donjon.ErrRevoked},
		"key":                          {func(f *donjon.RevocationFacts) { f.KeyRevoked = true }, donjon.ErrRevoked},
		"logged out since":             {func(f *donjon.RevocationFacts) { f.SubjectSince = at.Add(time.Second) }, donjon.ErrRevoked},
		"logged out just before":       {func(f *donjon.RevocationFacts) { f.SubjectSince = at.Add(-2 * time.Second) }, donjon.ErrRevoked},
		"logged out long before":       {func(f *donjon.RevocationFacts) { f.SubjectSince = at.Add(-3 * time.Second) }, nil},
		"just before, clocks agree":    {func(f *donjon.RevocationFacts) { f.SubjectSince, f.NoSkew = at.Add(-time.Second), true }, nil},
		"at the same time":             {func(f *donjon.RevocationFacts) { f.SubjectSince, f.NoSkew = at, true }, donjon.ErrRevoked},
		"skew over five minutes":       {func(f *donjon.RevocationFacts) { f.Skew = 301 * time.Second }, donjon.ErrInvalidArgument},
		"skew given and waived":        {func(f *donjon.RevocationFacts) { f.Skew, f.NoSkew = time.Second, true }, donjon.ErrInvalidArgument},
		"skew that is no whole second": {func(f *donjon.RevocationFacts) { f.Skew = time.Millisecond }, donjon.ErrInvalidArgument},
	} {
		facts := alive
		c.change(&facts)
		if err := donjon.CheckRevocation(facts); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestLogInRightAfterLoggingOutEverywhereLives(t *testing.T) {
	f := newFixture(t)
	check := func(since time.Time) error {
		token, err := f.issuer.Access(donjon.Grant{Subject: "u", Now: at, RevokedSince: since})
		ok(t, err)
		claims, err := f.verifier.VerifyAt(token, at)
		ok(t, err)
		return donjon.CheckRevocation(donjon.RevocationFacts{
			IssuedAt: claims.IssuedAt(), SubjectSince: at, StoreSince: at.Add(-time.Hour),
		})
	}
	if err := check(time.Time{}); !errors.Is(err, donjon.ErrRevoked) {
		t.Errorf("the old token: %v", err)
	}
	if err := check(at); err != nil {
		t.Errorf("the new token: %v", err)
	}
}
