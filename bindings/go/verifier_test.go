package donjon_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestVerifiedClaimsAreWhatWasGranted(t *testing.T) {
	f := newFixture(t)
	token, err := f.issuer.Access(donjon.Grant{
		Subject:     "zoë \"z\"\n\u2028",
		Permissions: []string{"document:read", "document:<write>&"},
		Roles:       []string{"editor"},
		Claims:      map[string]any{"tenant": "acme", "level": 3, "nested": map[string]any{"a": []int{1}}},
		TTL:         time.Minute,
		Now:         at,
	})
	ok(t, err)
	claims, err := f.verifier.VerifyAt(token, at)
	ok(t, err)

	equal(t, "issuer", claims.Issuer(), testIssuer)
	equal(t, "subject", claims.Subject(), "zoë \"z\"\n\u2028")
	equal(t, "issue", claims.IssuedAt(), at)
	equal(t, "expiry", claims.ExpiresAt(), at.Add(time.Minute))
	equal(t, "not before", claims.NotBefore(), time.Time{})
	equal(t, "family", claims.Family(), "")
	if _, has := claims.Generation(); has {
		t.Error("an access token has a generation")
	}
	if got := claims.Audience(); !reflect.DeepEqual(got, []string{testAudience}) {
		t.Errorf("audience is %q", got)
	}
	if got := claims.Permissions(); !reflect.DeepEqual(got, []string{"document:read", "document:<write>&"}) {
		t.Errorf("permissions are %q", got)
	}
	if got := claims.Roles(); !reflect.DeepEqual(got, []string{"editor"}) {
		t.Errorf("roles are %q", got)
	}
	if claims.TokenID() == "" || claims.KeyID() == "" {
		t.Errorf("token id %q, key id %q", claims.TokenID(), claims.KeyID())
	}

	var rest struct {
		Tenant string
		Level  int
		Nested struct{ A []int }
	}
	ok(t, claims.Decode(&rest))
	if rest.Tenant != "acme" || rest.Level != 3 || len(rest.Nested.A) != 1 {
		t.Errorf("other claims are %+v", rest)
	}
	text, err := json.Marshal(claims)
	ok(t, err)
	if !json.Valid([]byte(claims.JSON())) || len(text) < len("{}") {
		t.Errorf("claims are not JSON: %s", claims.JSON())
	}
}

func TestAudienceIsAListHoweverManyThereAre(t *testing.T) {
	f := newFixture(t)
	for _, want := range [][]string{{"a"}, {"a", "b"}} {
		issuer, err := donjon.NewIssuer(f.keys, donjon.IssuerOptions{NoIssuer: true, Audience: want})
		ok(t, err)
		defer issuer.Close()
		token, err := issuer.Access(donjon.Grant{Subject: "u"})
		ok(t, err)
		verifier, err := donjon.NewVerifier(f.keys, donjon.VerifierOptions{
			AnyIssuer: true, Audience: []string{"x", "a"}, Type: donjon.AccessToken, Algorithms: []donjon.Algorithm{donjon.EdDSA},
		})
		ok(t, err)
		defer verifier.Close()
		claims, err := verifier.Verify(token)
		ok(t, err)
		if got := claims.Audience(); !reflect.DeepEqual(got, want) {
			t.Errorf("audience is %q, want %q", got, want)
		}
	}
}

func TestExpectationsAreGivenOrWaived(t *testing.T) {
	f := newFixture(t)
	for name, change := range map[string]func(*donjon.VerifierOptions){
		"zero":                      func(o *donjon.VerifierOptions) { *o = donjon.VerifierOptions{} },
		"no issuer":                 func(o *donjon.VerifierOptions) { o.Issuer = "" },
		"issuer given and waived":   func(o *donjon.VerifierOptions) { o.AnyIssuer = true },
		"no audience":               func(o *donjon.VerifierOptions) { o.Audience = nil },
		"empty audience":            func(o *donjon.VerifierOptions) { o.Audience = []string{""} },
		"audience given and waived": func(o *donjon.VerifierOptions) { o.AnyAudience = true },
		"no type":                   func(o *donjon.VerifierOptions) { o.Type = "" },
		"type given and waived":     func(o *donjon.VerifierOptions) { o.AnyType = true },
		"legacy claim of any type": func(o *donjon.VerifierOptions) {
			o.Type, o.AnyType, o.LegacyTypeClaim = "", true, "token_type"
		},
		"no algorithms":              func(o *donjon.VerifierOptions) { o.Algorithms = nil },
		"unknown algorithm":          func(o *donjon.VerifierOptions) { o.Algorithms = []donjon.Algorithm{"none"} },
		"leeway over five minutes":   func(o *donjon.VerifierOptions) { o.Leeway = 301 * time.Second },
		"negative leeway":            func(o *donjon.VerifierOptions) { o.Leeway = -time.Second },
		"leeway of half a second":    func(o *donjon.VerifierOptions) { o.Leeway = time.Second / 2 },
		"required and nothing is":    func(o *donjon.VerifierOptions) { o.Require, o.RequireNothing = []string{"sub"}, true },
		"issuer that is not UTF-8":   func(o *donjon.VerifierOptions) { o.Issuer = "\xff" },
		"audience that is not UTF-8": func(o *donjon.VerifierOptions) { o.Audience = []string{"a", "\xff"} },
	} {
		opts := expecting(donjon.AccessToken, donjon.EdDSA)
		change(&opts)
		if verifier, err := donjon.NewVerifier(f.keys, opts); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%s: %v, %v", name, verifier, err)
		}
	}
}

func TestRefusalsNameTheirReason(t *testing.T) {
	f := newFixture(t)
	good, err := f.issuer.Access(donjon.Grant{Subject: "u", TTL: time.Minute, Now: at})
	ok(t, err)
	opts := func(change func(*donjon.VerifierOptions)) donjon.VerifierOptions {
		o := expecting(donjon.AccessToken, donjon.EdDSA)
		change(&o)
		return o
	}
	same := func(*donjon.VerifierOptions) {}
	for name, c := range map[string]struct {
		opts  donjon.VerifierOptions
		token string
		now   time.Time
		want  error
	}{
		"expired":        {opts(same), good, at.Add(time.Minute), donjon.ErrExpired},
		"not yet":        {opts(same), good, at.Add(-time.Hour), donjon.ErrNotYetValid},
		"other issuer":   {opts(func(o *donjon.VerifierOptions) { o.Issuer += "/" }), good, at, donjon.ErrInvalidIssuer},
		"other audience": {opts(func(o *donjon.VerifierOptions) { o.Audience = []string{"ap"} }), good, at, donjon.ErrInvalidAudience},
		"other type":     {opts(func(o *donjon.VerifierOptions) { o.Type = donjon.RefreshToken }), good, at, donjon.ErrWrongTokenType},
		"missing claim":  {opts(func(o *donjon.VerifierOptions) { o.Require = []string{"tenant"} }), good, at, donjon.ErrMissingClaim},
		"tampered":       {opts(same), tampered(good), at, donjon.ErrBadSignature},
		"forged, expired": {
			opts(same), tampered(good), at.Add(time.Hour), donjon.ErrBadSignature,
		},
		"no token":       {opts(same), "", at, donjon.ErrMalformed},
		"not a token":    {opts(same), "not a token", at, donjon.ErrMalformed},
		"huge":           {opts(same), strings.Repeat("a", 10<<20), at, donjon.ErrTooLarge},
		"the zero time":  {opts(same), good, time.Time{}, donjon.ErrInvalidArgument},
		"within leeway":  {opts(func(o *donjon.VerifierOptions) { o.Leeway = time.Minute }), good, at.Add(90 * time.Second), nil},
		"what is waived": {opts(func(o *donjon.VerifierOptions) { *o = waiving() }), good, at, nil},
	} {
		t.Run(name, func(t *testing.T) {
			verifier, err := donjon.NewVerifier(f.keys, c.opts)
			ok(t, err)
			defer verifier.Close()
			claims, err := verifier.VerifyAt(c.token, c.now)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if (claims == nil) != (err != nil) {
				t.Errorf("claims %v with error %v", claims, err)
			}
		})
	}
}

func waiving() donjon.VerifierOptions {
	return donjon.VerifierOptions{
		AnyIssuer: true, AnyAudience: true, AnyType: true, RequireNothing: true,
		Algorithms: []donjon.Algorithm{donjon.EdDSA},
	}
}

// tampered returns token with another first byte of its signature.
func tampered(token string) string {
	at := strings.LastIndexByte(token, '.') + 1
	other := "A"
	if token[at] == 'A' {
		other = "B"
	}
	return token[:at] + other + token[at+1:]
}

func TestVerifierReadsTheKernelsOwnConfiguration(t *testing.T) {
	f := newFixture(t)
	verifier, err := donjon.ParseVerifier(f.keys, []byte(`{"issuer":null,"audience":"api","type":"at+jwt","algorithms":["EdDSA"]}`))
	ok(t, err)
	defer verifier.Close()
	if _, err := verifier.Verify(f.access(t, "u")); err != nil {
		t.Error(err)
	}
	for _, config := range []string{"", "{}", "null", `{"issuer":null,"audience":null,"type":null,"algorithms":["EdDSA"],"lax":true}`} {
		if _, err := donjon.ParseVerifier(f.keys, []byte(config)); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%s: %v", config, err)
		}
	}
}

func TestLegacyTypeIsMandatory(t *testing.T) {
	f := newFixture(t)
	opts := expecting(donjon.AccessToken, donjon.EdDSA)
	opts.LegacyTypeClaim = "token_type"
	verifier, err := donjon.NewVerifier(f.keys, opts)
	ok(t, err)
	defer verifier.Close()
	for claims, want := range map[string]error{
		`"token_type":"access"`:  nil,
		`"token_type":"refresh"`: donjon.ErrWrongTokenType,
		`"other":1`:              donjon.ErrMissingClaim,
	} {
		token, err := f.keys.SignClaims("", "", []byte(`{"iss":"https://auth.example.com","aud":"api","exp":4000000000,`+claims+`}`))
		ok(t, err)
		if _, err := verifier.Verify(token); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", claims, err, want)
		}
	}
}

// Claims that escape much need more room than their token does.
func TestClaimsAreReadHoweverMuchTheyEscape(t *testing.T) {
	f := newFixture(t)
	for _, subject := range []string{strings.Repeat(`"`, 1000), strings.Repeat("\n", 1000), strings.Repeat("\x01", 1000)} {
		claims, err := f.verifier.Verify(f.access(t, subject))
		ok(t, err)
		equal(t, "subject", claims.Subject(), subject)
	}
	keys, err := donjon.KeyringFromSecret([]byte("0e9a53c1b6f84d27a1c0d5e8937b46f2"), donjon.HS256, strings.Repeat("k", 128))
	ok(t, err)
	g := fixtureOf(t, keys, donjon.HS256)
	claims, err := g.verifier.Verify(g.access(t, "u"))
	ok(t, err)
	equal(t, "key id", claims.KeyID(), strings.Repeat("k", 128))
}

func TestLogsNameTheTokenAndItsSubject(t *testing.T) {
	f := newFixture(t)
	token, err := f.issuer.Access(donjon.Grant{Subject: "ann", Claims: map[string]any{"email": "ann@example.com"}})
	ok(t, err)
	claims, err := f.verifier.Verify(token)
	ok(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("served", "user", claims)
	if !strings.Contains(log.String(), "user.subject=ann user.token_id="+claims.TokenID()) || strings.Contains(log.String(), "example.com") {
		t.Errorf("logged %s", log.String())
	}
}
