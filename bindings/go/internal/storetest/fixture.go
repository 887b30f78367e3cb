package storetest

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// A clock is what all that is tested reads. It goes on by itself, and can be put ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time           { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(by time.Duration) { c.ahead.Add(int64(by)) }

// noteStore notes the keys of what is written, so that it can be lost and restored, and
// fails when told to.
type noteStore struct {
	donjon.RecordStore
	mu    sync.Mutex
	keys  map[string]bool
	fails atomic.Bool
	// a part of the keys that cannot be written, if not nil
	failsAt atomic.Pointer[string]
	// called before a record is replaced, if not nil
	beforeReplace atomic.Pointer[func(key string)]
	// Every write is sent again, as by a client whose answer got lost.
	repeats atomic.Bool
	// It says that it waits for replicas; what is written only for that is counted.
	waits     atomic.Bool
	confirmed atomic.Int32
}

func (s *noteStore) WaitsForReplicas() bool { return s.waits.Load() }

var errDown = errors.New("the store is down")

func newNoteStore(store donjon.RecordStore) *noteStore {
	return &noteStore{RecordStore: store, keys: make(map[string]bool)}
}

func (s *noteStore) GetMany(ctx context.Context, keys []string) ([][]byte, error) {
	if s.fails.Load() {
		return nil, errDown
	}
	return s.RecordStore.GetMany(ctx, keys)
}

func (s *noteStore) Replace(ctx context.Context, key string, before, after []byte, keep time.Duration) (bool, error) {
	if s.fails.Load() {
		return false, errDown
	}
	if part := s.failsAt.Load(); part != nil && strings.Contains(key, *part) {
		return false, errDown
	}
	if call := s.beforeReplace.Load(); call != nil {
		(*call)(key)
	}
	s.mu.Lock()
	s.keys[key] = true
	s.mu.Unlock()
	if bytes.Equal(before, after) || strings.HasSuffix(key, ":confirmed") {
		s.confirmed.Add(1)
	}
	replaced, err := s.RecordStore.Replace(ctx, key, before, after, keep)
	if err == nil && s.repeats.Load() {
		return s.RecordStore.Replace(ctx, key, before, after, keep)
	}
	return replaced, err
}

func (s *noteStore) Scan(ctx context.Context, part string) iter.Seq2[donjon.ScannedRecord, error] {
	return s.RecordStore.(donjon.RecordScanner).Scan(ctx, part)
}

// all returns what is stored.
func (s *noteStore) all(t testing.TB) map[string][]byte {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]byte)
	for key := range s.keys {
		if value := get(t, s.RecordStore, key); value != nil {
			all[key] = value
		}
	}
	return all
}

// restore makes what is stored what it was.
func (s *noteStore) restore(t testing.TB, snapshot map[string][]byte) {
	t.Helper()
	for key, value := range s.all(t) {
		replaced, err := s.RecordStore.Replace(t.Context(), key, value, nil, 0)
		ok(t, err)
		equal(t, "lost", replaced, true)
	}
	for key, value := range snapshot {
		put(t, s.RecordStore, key, string(value))
	}
}

// silence is how long a store may not be asked.
const silence = time.Hour

// confirmed is how long a process makes sure of a silence, and a little more.
const confirmed = 2600 * time.Millisecond

// quiet is for what is lost on purpose.
var quiet = slog.New(slog.DiscardHandler)

// keyring has all keys that sessions and tokens need.
func keyring(t testing.TB) *donjon.Keyring {
	t.Helper()
	keys, err := donjon.GenerateKeyring(map[donjon.Purpose]donjon.Algorithm{
		donjon.PurposeToken: donjon.EdDSA, donjon.PurposeStateBinding: donjon.HS256,
		donjon.PurposeDevice: donjon.HS256, donjon.PurposeCSRF: donjon.HS256, donjon.PurposeEnvelope: donjon.HS256,
	})
	ok(t, err)
	t.Cleanup(func() { _ = keys.Close() })
	return keys
}

// tokens are an issuer and the verifiers of what it issues.
type tokens struct {
	issuer          *donjon.Issuer
	access, refresh *donjon.Verifier
	clock           *clock
}

func newTokens(t testing.TB, keys *donjon.Keyring, c *clock) tokens {
	t.Helper()
	const name = "https://auth.example.com"
	issuer, err := donjon.NewIssuer(keys, donjon.IssuerOptions{Issuer: name, Audience: []string{"api"}})
	ok(t, err)
	verifier := func(typ donjon.TokenType) *donjon.Verifier {
		v, err := donjon.NewVerifier(keys, donjon.VerifierOptions{
			Issuer: name, Audience: []string{"api"}, Type: typ, Algorithms: []donjon.Algorithm{donjon.EdDSA},
		})
		ok(t, err)
		t.Cleanup(func() { _ = v.Close() })
		return v
	}
	t.Cleanup(func() { _ = issuer.Close() })
	return tokens{issuer, verifier(donjon.AccessToken), verifier(donjon.RefreshToken), c}
}

// issue issues an access token at the clock's time.
func (k tokens) issue(t testing.TB, grant donjon.Grant) *donjon.Claims {
	t.Helper()
	grant.Now = k.clock.now()
	token, err := k.issuer.Access(grant)
	ok(t, err)
	return verified(t, k.access, token, k.clock)
}

// verified verifies a token, which may be stamped a little ahead.
func verified(t testing.TB, verifier *donjon.Verifier, token string, c *clock) *donjon.Claims {
	t.Helper()
	claims, err := verifier.VerifyAt(token, c.now().Add(5*time.Second))
	ok(t, err)
	return claims
}

// is checks that an error is the one that is wanted, and of nil that there is none.
func is(t testing.TB, what string, err, want error) {
	t.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}
