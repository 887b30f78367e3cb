package donjon_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

const (
	testIssuer   = "https://auth.example.com"
	testAudience = "api"
)

// fixture is an issuer and the verifier of its access tokens.
type fixture struct {
	keys     *donjon.Keyring
	issuer   *donjon.Issuer
	verifier *donjon.Verifier
}

func newFixture(t testing.TB) fixture {
	t.Helper()
	keys, err := donjon.GenerateKeyring(nil)
	ok(t, err)
	return fixtureOf(t, keys, donjon.EdDSA)
}

func fixtureOf(t testing.TB, keys *donjon.Keyring, algorithm donjon.Algorithm) fixture {
	t.Helper()
	issuer, err := donjon.NewIssuer(keys, donjon.IssuerOptions{Issuer: testIssuer, Audience: []string{testAudience}})
	ok(t, err)
	verifier, err := donjon.NewVerifier(keys, expecting(donjon.AccessToken, algorithm))
	ok(t, err)
	t.Cleanup(func() {
		verifier.Close()
		issuer.Close()
		keys.Close()
	})
	return fixture{keys, issuer, verifier}
}

func expecting(typ donjon.TokenType, algorithm donjon.Algorithm) donjon.VerifierOptions {
	return donjon.VerifierOptions{
		Issuer:     testIssuer,
		Audience:   []string{testAudience},
		Type:       typ,
		Algorithms: []donjon.Algorithm{algorithm},
	}
}

func (f fixture) access(t testing.TB, subject string) string {
	t.Helper()
	token, err := f.issuer.Access(donjon.Grant{Subject: subject})
	ok(t, err)
	return token
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// at is a time of the past, for tests that depend on none.
var at = time.Unix(1_700_000_000, 0)

// memoryStore is a donjon.FamilyStore.
type memoryStore struct {
	mu     sync.Mutex
	states map[string][]byte
}

func (s *memoryStore) Load(_ context.Context, family string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[family], nil
}

func (s *memoryStore) Swap(_ context.Context, family string, last, next []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !bytes.Equal(s.states[family], last) {
		return false, nil
	}
	if s.states == nil {
		s.states = make(map[string][]byte)
	}
	s.states[family] = next
	return true, nil
}
