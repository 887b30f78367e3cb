package donjon_test

import (
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// benchToken is a token of about 420 bytes: seven permissions, jti, sub, iat, exp.
func benchToken(t testing.TB) (*donjon.Verifier, *donjon.Issuer, string) {
	t.Helper()
	keys, err := donjon.KeyringFromSecret([]byte("0e9a53c1b6f84d27a1c0d5e8937b46f2"), donjon.HS256, "")
	ok(t, err)
	issuer, err := donjon.NewIssuer(keys, donjon.IssuerOptions{NoIssuer: true, NoAudience: true})
	ok(t, err)
	verifier, err := donjon.NewVerifier(keys, donjon.VerifierOptions{
		AnyIssuer: true, AnyAudience: true, Type: donjon.AccessToken, Algorithms: []donjon.Algorithm{donjon.HS256},
	})
	ok(t, err)
	token, err := issuer.Access(benchGrant)
	ok(t, err)
	return verifier, issuer, token
}

var benchGrant = donjon.Grant{
	Subject: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
	Permissions: []string{
		"document:read", "document:write", "document:delete", "user:read", "user:write", "report:read", "audit:read",
	},
	TTL: time.Hour,
}

func TestVerifyAllocatesAtMostTwice(t *testing.T) {
	verifier, _, token := benchToken(t)
	for name, c := range map[string]struct {
		token string
		most  float64
	}{
		"good":   {token, 2},
		"forged": {tampered(token), 2},
	} {
		got := testing.AllocsPerRun(1000, func() {
			if claims, err := verifier.Verify(c.token); err == nil && claims.Subject() == "" {
				t.Error("no subject")
			}
		})
		if got > c.most {
			t.Errorf("a %s token: %v allocations", name, got)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	verifier, _, token := benchToken(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(token)))
	for b.Loop() {
		if _, err := verifier.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyParallel(b *testing.B) {
	verifier, _, token := benchToken(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := verifier.Verify(token); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerifyForged(b *testing.B) {
	verifier, _, token := benchToken(b)
	forged := tampered(token)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := verifier.Verify(forged); err == nil {
			b.Fatal("verified")
		}
	}
}

func BenchmarkVerifyAndReadPermissions(b *testing.B) {
	verifier, _, token := benchToken(b)
	b.ReportAllocs()
	for b.Loop() {
		claims, err := verifier.Verify(token)
		if err != nil || len(claims.Permissions()) != 7 {
			b.Fatal(err)
		}
	}
}

func BenchmarkAccess(b *testing.B) {
	_, issuer, _ := benchToken(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := issuer.Access(benchGrant); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	hasher := newHasher(b, donjon.HasherOptions{})
	b.ReportAllocs()
	for b.Loop() {
		hashOf(b, hasher, "correct horse")
	}
}
