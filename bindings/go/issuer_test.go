package donjon_test

import (
	"errors"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestIssuerSaysWhatItIsTold(t *testing.T) {
	f := newFixture(t)
	for name, c := range map[string]struct {
		opts donjon.IssuerOptions
		want error
	}{
		"zero":                 {donjon.IssuerOptions{}, donjon.ErrConfig},
		"no issuer":            {donjon.IssuerOptions{NoAudience: true}, donjon.ErrConfig},
		"no audience":          {donjon.IssuerOptions{NoIssuer: true}, donjon.ErrConfig},
		"given and left out":   {donjon.IssuerOptions{Issuer: "i", NoIssuer: true, NoAudience: true}, donjon.ErrConfig},
		"empty audience":       {donjon.IssuerOptions{Issuer: "i", Audience: []string{"a", ""}}, donjon.ErrConfig},
		"half a second":        {donjon.IssuerOptions{NoIssuer: true, NoAudience: true, AccessTTL: time.Second / 2}, donjon.ErrConfig},
		"a life of minus one":  {donjon.IssuerOptions{NoIssuer: true, NoAudience: true, RefreshTTL: -time.Second}, donjon.ErrConfig},
		"an issuer, not UTF-8": {donjon.IssuerOptions{Issuer: "\xff", NoAudience: true}, donjon.ErrConfig},
		"neither":              {donjon.IssuerOptions{NoIssuer: true, NoAudience: true}, nil},
		"both":                 {donjon.IssuerOptions{Issuer: "i", Audience: []string{"a", "b"}, AccessTTL: time.Hour}, nil},
	} {
		issuer, err := donjon.NewIssuer(f.keys, c.opts)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		ok(t, issuer.Close())
	}
}

func TestTokensLiveAsLongAsTheirIssuerSays(t *testing.T) {
	f := newFixture(t)
	life := func(opts donjon.IssuerOptions, g donjon.Grant) time.Duration {
		opts.Issuer, opts.Audience, g.Subject = testIssuer, []string{testAudience}, "u"
		issuer, err := donjon.NewIssuer(f.keys, opts)
		ok(t, err)
		defer issuer.Close()
		token, err := issuer.Access(g)
		ok(t, err)
		claims, err := f.verifier.Verify(token)
		ok(t, err)
		return claims.ExpiresAt().Sub(claims.IssuedAt())
	}
	equal(t, "default", life(donjon.IssuerOptions{}, donjon.Grant{}), 30*time.Minute)
	equal(t, "issuer's", life(donjon.IssuerOptions{AccessTTL: time.Hour}, donjon.Grant{}), time.Hour)
	equal(t, "token's", life(donjon.IssuerOptions{AccessTTL: time.Hour}, donjon.Grant{TTL: time.Minute}), time.Minute)
}

func TestIssuerReadsTheKernelsOwnConfiguration(t *testing.T) {
	f := newFixture(t)
	issuer, err := donjon.ParseIssuer(f.keys, []byte(`{"issuer":"https://auth.example.com","audience":"api"}`))
	ok(t, err)
	defer issuer.Close()
	token, err := issuer.Access(donjon.Grant{Subject: "u"})
	ok(t, err)
	if _, err := f.verifier.Verify(token); err != nil {
		t.Error(err)
	}
}

func TestKeysThatOnlyVerifyDoNotIssue(t *testing.T) {
	public, err := newFixture(t).keys.PublicJWKS()
	ok(t, err)
	keys, err := donjon.ParseKeyring(public)
	ok(t, err)
	if _, err := donjon.NewIssuer(keys, donjon.IssuerOptions{NoIssuer: true, NoAudience: true}); !errors.Is(err, donjon.ErrConfig) {
		t.Error(err)
	}
	if _, err := donjon.NewPurposeTokens(keys); !errors.Is(err, donjon.ErrConfig) {
		t.Error(err)
	}
}

func TestVersionIsTheKernels(t *testing.T) {
	if donjon.Version() == "" {
		t.Error("no version")
	}
}
