package donjon_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// session is a refresh family in use.
type session struct {
	fixture
	store   memoryStore
	refresh *donjon.Verifier
	grant   donjon.Grant
}

func newSession(t *testing.T) *session {
	f := newFixture(t)
	refresh, err := donjon.NewVerifier(f.keys, expecting(donjon.RefreshToken, donjon.EdDSA))
	ok(t, err)
	t.Cleanup(func() { refresh.Close() })
	return &session{fixture: f, refresh: refresh, grant: donjon.Grant{Subject: "u", Now: at}}
}

func (s *session) begin(t *testing.T) string {
	t.Helper()
	token, err := s.issuer.BeginRefresh(t.Context(), &s.store, s.grant)
	ok(t, err)
	return token
}

func (s *session) use(t *testing.T, token string, after time.Duration) (string, error) {
	t.Helper()
	claims, err := s.refresh.VerifyAt(token, at.Add(after))
	ok(t, err)
	grant := s.grant
	grant.Now = at.Add(after)
	return s.issuer.RotateRefresh(t.Context(), &s.store, claims, donjon.DefaultRefreshGrace, grant)
}

func (s *session) claims(t *testing.T, token string) *donjon.Claims {
	t.Helper()
	claims, err := s.refresh.VerifyAt(token, at)
	ok(t, err)
	return claims
}

func TestRefreshTokenRotates(t *testing.T) {
	s := newSession(t)
	first := s.begin(t)
	second, err := s.use(t, first, 0)
	ok(t, err)
	third, err := s.use(t, second, 0)
	ok(t, err)
	family := s.claims(t, first).Family()
	for want, token := range []string{first, second, third} {
		claims := s.claims(t, token)
		generation, has := claims.Generation()
		equal(t, "generation", generation, int64(want))
		equal(t, "has a generation", has, true)
		equal(t, "family", claims.Family(), family)
	}
	if len(s.store.states) != 1 || s.store.states[family] == nil {
		t.Errorf("the store has %d families, %q not among them", len(s.store.states), family)
	}
	if _, err := s.verifier.VerifyAt(second, at); !errors.Is(err, donjon.ErrWrongTokenType) {
		t.Errorf("a refresh token as an access token: %v", err)
	}
}

func TestReplayRevokesTheFamily(t *testing.T) {
	s := newSession(t)
	first := s.begin(t)
	second, err := s.use(t, first, 0)
	ok(t, err)
	if _, err := s.use(t, first, time.Minute); !errors.Is(err, donjon.ErrReuseDetected) {
		t.Errorf("the replay: %v", err)
	}
	if _, err := s.use(t, second, time.Minute); !errors.Is(err, donjon.ErrRevoked) {
		t.Errorf("the owner afterwards: %v", err)
	}
	if _, err := s.use(t, first, time.Second); !errors.Is(err, donjon.ErrRevoked) {
		t.Errorf("the replay within the grace: %v", err)
	}
}

func TestConcurrentRefreshesHaveOneSuccessor(t *testing.T) {
	s := newSession(t)
	claims := s.claims(t, s.begin(t))
	const tabs = 8
	successors := make([]string, tabs)
	var group sync.WaitGroup
	for i := range tabs {
		group.Go(func() {
			token, err := s.issuer.RotateRefresh(t.Context(), &s.store, claims, donjon.DefaultRefreshGrace, s.grant)
			if err != nil {
				t.Error(err)
				return
			}
			successors[i] = s.claims(t, token).TokenID()
		})
	}
	group.Wait()
	for _, id := range successors {
		equal(t, "successor", id, successors[0])
	}
}

func TestLogOutRevokesTheFamily(t *testing.T) {
	s := newSession(t)
	token := s.begin(t)
	ok(t, donjon.RevokeFamily(t.Context(), &s.store, s.claims(t, token).Family()))
	if _, err := s.use(t, token, 0); !errors.Is(err, donjon.ErrRevoked) {
		t.Error(err)
	}
	ok(t, donjon.RevokeFamily(t.Context(), &s.store, "no such family"))
}

func TestStoreThatForgotIsStale(t *testing.T) {
	s := newSession(t)
	first := s.begin(t)
	family := s.claims(t, first).Family()
	before := s.store.states[family]
	second, err := s.use(t, first, 0)
	ok(t, err)
	s.store.states[family] = before
	if _, err := s.use(t, second, 0); !errors.Is(err, donjon.ErrStateStale) {
		t.Errorf("restored from a backup: %v", err)
	}
	delete(s.store.states, family)
	if _, err := s.use(t, second, 0); !errors.Is(err, donjon.ErrStateStale) {
		t.Errorf("flushed: %v", err)
	}
	s.store.states[family] = []byte("not a state")
	if _, err := s.use(t, second, 0); err == nil {
		t.Error("corrupt: passes")
	}
}

func TestAccessTokenDoesNotRefresh(t *testing.T) {
	s := newSession(t)
	claims, err := s.verifier.Verify(s.access(t, "u"))
	ok(t, err)
	if _, err := s.issuer.RotateRefresh(t.Context(), &s.store, claims, 0, s.grant); !errors.Is(err, donjon.ErrWrongTokenType) {
		t.Error(err)
	}
}

func TestRotationKeepsTheSubject(t *testing.T) {
	s := newSession(t)
	claims := s.claims(t, s.begin(t))
	grant := donjon.Grant{Subject: "root", Now: at}
	// A store that is nil cannot be touched.
	if token, err := s.issuer.RotateRefresh(t.Context(), nil, claims, 0, grant); !errors.Is(err, donjon.ErrInvalidArgument) || token != "" {
		t.Errorf("for another subject: %q, %v", token, err)
	}
	grant.Subject = ""
	token, err := s.issuer.RotateRefresh(t.Context(), &s.store, claims, 0, grant)
	ok(t, err)
	equal(t, "subject", s.claims(t, token).Subject(), "u")
}

// brokenStore fails at every Swap.
type brokenStore struct{ memoryStore }

var errDown = errors.New("the store is down")

func (*brokenStore) Swap(context.Context, string, []byte, []byte) (bool, error) {
	return false, errDown
}

// busyStore loses every race.
type busyStore struct{ memoryStore }

func (*busyStore) Swap(context.Context, string, []byte, []byte) (bool, error) { return false, nil }

func TestRacesThatAreNeverWonEndWithTheContext(t *testing.T) {
	s := newSession(t)
	claims := s.claims(t, s.begin(t))
	busy := &busyStore{memoryStore{states: s.store.states}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.issuer.RotateRefresh(ctx, busy, claims, 0, s.grant); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := donjon.RevokeFamily(ctx, busy, claims.Family()); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, err := s.issuer.BeginRefresh(t.Context(), busy, s.grant); !errors.Is(err, donjon.ErrStateStale) {
		t.Error(err)
	}
}

func TestFailureOfTheStoreMintsNothing(t *testing.T) {
	s := newSession(t)
	if token, err := s.issuer.BeginRefresh(t.Context(), new(brokenStore), s.grant); err != errDown || token != "" {
		t.Errorf("%q, %v", token, err)
	}
	claims := s.claims(t, s.begin(t))
	broken := &brokenStore{memoryStore{states: s.store.states}}
	if token, err := s.issuer.RotateRefresh(t.Context(), broken, claims, 0, s.grant); err != errDown || token != "" {
		t.Errorf("%q, %v", token, err)
	}
}
