package storetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// manager is another process.
func (w *world) manager(t testing.TB, opts donjon.SessionsOptions) *donjon.SessionManager {
	t.Helper()
	return managerOf(t, w.keys, w.store, w.clock, opts)
}

func managerOf(t testing.TB, keys *donjon.Keyring, store donjon.RecordStore, c *clock, opts donjon.SessionsOptions) *donjon.SessionManager {
	t.Helper()
	// A store in another process may wait for its turn behind all racers.
	manager, err := donjon.NewSessionManager(keys, store, donjon.SessionManagerOptions{
		Sessions: opts, Clock: c.now, MaxSilence: silence, Timeout: 20 * time.Second, Logger: quiet,
	})
	ok(t, err)
	t.Cleanup(func() { _ = manager.Close() })
	return manager
}

var (
	home    = donjon.SessionClient{Address: "203.0.113.7", UserAgent: "Browser/1.0 (Home)"}
	another = donjon.SessionClient{Address: "198.51.100.1", UserAgent: "Other/1.0"}
)

func logIn(t testing.TB, m *donjon.SessionManager, subject string) *donjon.LoggedIn {
	t.Helper()
	in, err := m.LogIn(t.Context(), donjon.NewSession{Subject: subject, Client: home}, "")
	ok(t, err)
	return in
}

func beginTokens(t testing.TB, m *donjon.SessionManager, w *world, subject string) *donjon.TokenPair {
	t.Helper()
	pair, err := m.BeginTokens(t.Context(), w.tokens.issuer, donjon.NewSession{Subject: subject, Client: home}, donjon.Grant{})
	ok(t, err)
	return pair
}

func (w *world) accessOf(t testing.TB, pair *donjon.TokenPair) *donjon.Claims {
	t.Helper()
	return verified(t, w.tokens.access, pair.Access, w.clock)
}

func (w *world) refreshOf(t testing.TB, pair *donjon.TokenPair) *donjon.Claims {
	t.Helper()
	return verified(t, w.tokens.refresh, pair.Refresh, w.clock)
}

func (w *world) refresh(t testing.TB, m *donjon.SessionManager, pair *donjon.TokenPair) (*donjon.TokenPair, error) {
	t.Helper()
	return m.RefreshTokens(t.Context(), w.tokens.issuer, w.refreshOf(t, pair), home, donjon.Grant{})
}

// reason checks why a session is refused.
func reason(t testing.TB, what string, err, want error, because donjon.SessionReason) {
	t.Helper()
	var refused *donjon.SessionError
	if !errors.Is(err, want) || !errors.As(err, &refused) || refused.Reason != because {
		t.Errorf("%s: %v, want %v for the reason %q", what, err, want, because)
	}
}

func checked(t testing.TB, what string, m *donjon.SessionManager, id string, want error) {
	t.Helper()
	session, err := m.Check(t.Context(), id, home)
	is(t, what, err, want)
	if (session != nil) != (want == nil) {
		t.Errorf("%s: session %v", what, session)
	}
}

func handles(t testing.TB, m *donjon.SessionManager, subject string) []string {
	t.Helper()
	list, err := m.List(t.Context(), subject, "")
	ok(t, err)
	all := []string{}
	for _, one := range list {
		all = append(all, one.Handle)
	}
	return all
}

// Sessions tests what is promised of sign-ins on a store.
func Sessions(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *world){
		"from log-in to log-out":       fromLogInToLogOut,
		"fixation":                     fixation,
		"time-outs":                    timeouts,
		"the limit":                    sessionLimit,
		"the limit, raced for":         sessionLimitRaced,
		"changes":                      changes,
		"what the store sees":          whatTheStoreSees,
		"touched":                      touched,
		"refreshed":                    refreshed,
		"refreshed at once":            refreshedAtOnce,
		"refreshed, stolen":            refreshedStolen,
		"a theft while it fails":       refreshedStolenWhileTheStoreFails,
		"ended sign-ins' tokens":       endedTokens,
		"evicted while it fails":       evictedWhileTheStoreFails,
		"evicted as others made room":  evictedAsOthersMadeRoom,
		"log out everywhere":           sessionsLoggedOutEverywhere,
		"log out everywhere, raced":    loggedOutEverywhereRaced,
		"a store that forgets":         forgottenSessions,
		"a store that goes back":       restoredSessions,
		"damaged records":              damagedSessions,
		"a store that is down":         sessionsOfNoStore,
		"answers that get lost":        lostAnswers,
		"a clock that is behind":       sessionsByAClockThatIsBehind,
		"what is remembered":           rememberedSessions,
		"sealed":                       sealedSessions,
		"rotated keys":                 sessionsUnderOldKeys,
		"all at once":                  sessionsAllAtOnce,
		"what the manager says itself": badGrants,
	} {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, open)) })
	}
}

func fromLogInToLogOut(t *testing.T, w *world) {
	here, there := w.manager(t, donjon.SessionsOptions{}), w.manager(t, donjon.SessionsOptions{})
	in, err := here.LogIn(t.Context(), donjon.NewSession{
		Subject: "ann", Client: home, Label: "Ann's phone\x1b", Data: []byte{0, 1, 0xff},
	}, "")
	ok(t, err)
	equal(t, "length of an id", len(in.ID), 64)
	session, err := there.Check(t.Context(), in.ID, home)
	ok(t, err)
	equal(t, "subject", session.Subject, "ann")
	equal(t, "kind", session.Kind, donjon.CookieSession)
	equal(t, "label", session.Label, "Ann's phone")
	equal(t, "data", string(session.Data), "\x00\x01\xff")
	equal(t, "network", session.Network, "203.0.113.0/24")
	equal(t, "handle", session.Handle, in.Session.Handle)
	if until := session.ExpiresAt.Sub(w.clock.now()); until < 7*time.Hour || until > 8*time.Hour {
		t.Errorf("expires in %v", until)
	}

	second := logIn(t, there, "ann")
	list, err := here.List(t.Context(), "ann", second.ID)
	ok(t, err)
	equal(t, "sign-ins", len(list), 2)
	equal(t, "the first", list[0].Handle, in.Session.Handle)
	equal(t, "the first is current", list[0].Current, false)
	equal(t, "the second is current", list[1].Current, true)
	equal(t, "somebody else's", len(handles(t, here, "ben")), 0)

	reason(t, "unknown", here.Revoke(t.Context(), "ann", second.Session.Handle[1:]+"A"), donjon.ErrInvalidSession, donjon.SessionReasonUnknown)
	is(t, "somebody else's", here.Revoke(t.Context(), "ben", second.Session.Handle), donjon.ErrInvalidSession)
	ok(t, there.Revoke(t.Context(), "ann", in.Session.Handle))
	checked(t, "revoked", here, in.ID, donjon.ErrInvalidSession)
	checked(t, "the other", here, second.ID, nil)
	third, fourth := logIn(t, here, "ann"), logIn(t, here, "ann")
	ok(t, here.RevokeOthers(t.Context(), "ann", third.ID))
	checked(t, "another", there, second.ID, donjon.ErrInvalidSession)
	checked(t, "another", there, fourth.ID, donjon.ErrInvalidSession)
	checked(t, "the one that stays", there, third.ID, nil)
	is(t, "others than none", here.RevokeOthers(t.Context(), "ann", fourth.ID), donjon.ErrInvalidSession)
	checked(t, "the one that stays", there, third.ID, nil)
	for range 2 {
		ok(t, there.LogOut(t.Context(), third.ID))
		checked(t, "logged out", here, third.ID, donjon.ErrInvalidSession)
	}
	ok(t, here.LogOut(t.Context(), "no id"))
	_, err = here.LogIn(t.Context(), donjon.NewSession{}, "")
	is(t, "nobody", err, donjon.ErrInvalidArgument)
}

// Attack 49.
func fixation(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	before, err := m.BeginAnonymous(t.Context(), donjon.NewSession{Client: home, Data: []byte("cart")})
	ok(t, err)
	session, err := m.Check(t.Context(), before.ID, home)
	ok(t, err)
	equal(t, "subject", session.Subject, "")
	equal(t, "data", string(session.Data), "cart")

	in, err := m.LogIn(t.Context(), donjon.NewSession{Subject: "ann", Client: home}, before.ID)
	ok(t, err)
	checked(t, "the id from before log-in", m, before.ID, donjon.ErrInvalidSession)
	again, err := m.LogIn(t.Context(), donjon.NewSession{Subject: "ben", Client: home}, in.ID)
	ok(t, err)
	checked(t, "the one who was logged in before", m, in.ID, donjon.ErrInvalidSession)
	_, err = m.LogIn(t.Context(), donjon.NewSession{Subject: "ben", Client: home}, "what an attacker has put there")
	ok(t, err)

	rotated, err := m.Rotate(t.Context(), again.ID, another, []byte("may more"))
	ok(t, err)
	checked(t, "the id from before", m, again.ID, donjon.ErrInvalidSession)
	session, err = m.Check(t.Context(), rotated.ID, another)
	ok(t, err)
	equal(t, "data", string(session.Data), "may more")
	equal(t, "network", session.Network, "198.51.100.0/24")
	equal(t, "began", session.CreatedAt.UnixMilli(), again.Session.CreatedAt.UnixMilli())
	kept, err := m.Rotate(t.Context(), rotated.ID, another, nil)
	ok(t, err)
	equal(t, "data that was kept", string(kept.Session.Data), "may more")
	_, err = m.Rotate(t.Context(), rotated.ID, another, nil)
	reason(t, "rotated by a dead id", err, donjon.ErrInvalidSession, donjon.SessionReasonUnknown)

	// Of those who rotate one session at once, one has it.
	var wins atomic.Int32
	var last atomic.Pointer[donjon.LoggedIn]
	race(func(int) {
		in, err := m.Rotate(t.Context(), kept.ID, home, nil)
		switch {
		case err == nil:
			wins.Add(1)
			last.Store(in)
		case !errors.Is(err, donjon.ErrInvalidSession):
			t.Error(err)
		}
	})
	equal(t, "rotations", wins.Load(), 1)
	checked(t, "what is left", m, last.Load().ID, nil)
}

// Attack 50.
func timeouts(t *testing.T, w *world) {
	m, err := donjon.NewSessionManager(w.keys, w.store, donjon.SessionManagerOptions{
		Sessions: donjon.SessionsOptions{IdleTimeout: time.Hour, AbsoluteTimeout: 3 * time.Hour},
		Clock:    w.clock.now, MaxSilence: 30 * 24 * time.Hour, Logger: quiet,
	})
	ok(t, err)
	defer m.Close()
	idle, busy := logIn(t, m, "ann"), logIn(t, m, "ben")
	for range 3 {
		w.clock.advance(50 * time.Minute)
		checked(t, "used", m, busy.ID, nil)
	}
	_, err = m.Check(t.Context(), idle.ID, home)
	reason(t, "not used for more than an hour", err, donjon.ErrExpired, donjon.SessionReasonIdle)
	w.clock.advance(31 * time.Minute)
	_, err = m.Check(t.Context(), busy.ID, home)
	reason(t, "older than three hours", err, donjon.ErrExpired, donjon.SessionReasonAbsolute)
	_, err = m.Rotate(t.Context(), busy.ID, home, nil)
	if err == nil {
		t.Error("a dead session was rotated")
	}
	equal(t, "sign-ins", len(handles(t, m, "ann"))+len(handles(t, m, "ben")), 0)

	pair := beginTokens(t, m, w, "ann")
	w.clock.advance(6 * 24 * time.Hour)
	pair, err = w.refresh(t, m, pair)
	ok(t, err)
	used := w.refreshOf(t, pair)
	w.clock.advance(7*24*time.Hour + time.Minute)
	_, err = m.RefreshTokens(t.Context(), w.tokens.issuer, used, home, donjon.Grant{})
	reason(t, "not refreshed for a week", err, donjon.ErrExpired, donjon.SessionReasonIdle)
}

// Attack 51.
func sessionLimit(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	var ins []*donjon.LoggedIn
	for range 5 {
		ins = append(ins, logIn(t, m, "ann"))
		w.clock.advance(time.Second)
	}
	for i := range 3 {
		in := logIn(t, m, "ann")
		equal(t, "evicted", fmt.Sprint(in.Session.Evicted), fmt.Sprint([]donjon.EvictedSession{{Handle: ins[i].Session.Handle, Kind: donjon.CookieSession}}))
		checked(t, "the oldest", m, ins[i].ID, donjon.ErrInvalidSession)
		checked(t, "the second", m, ins[i+1].ID, nil)
		ins = append(ins, in)
		w.clock.advance(time.Second)
	}
	equal(t, "sign-ins", len(handles(t, m, "ann")), 5)

	refusing := w.manager(t, donjon.SessionsOptions{RefuseAtLimit: true, MaxPerUser: 2})
	first, second := logIn(t, refusing, "ben"), logIn(t, refusing, "ben")
	_, err := refusing.LogIn(t.Context(), donjon.NewSession{Subject: "ben", Client: home}, "")
	is(t, "the third", err, donjon.ErrSessionLimit)
	_, err = refusing.BeginTokens(t.Context(), w.tokens.issuer, donjon.NewSession{Subject: "ben", Client: home}, donjon.Grant{})
	is(t, "the third, by tokens", err, donjon.ErrSessionLimit)
	checked(t, "the first", refusing, first.ID, nil)
	ok(t, refusing.LogOut(t.Context(), second.ID))
	logIn(t, refusing, "ben")
}

// Attack 51: of 64 log-ins at once, those that came last are in.
func sessionLimitRaced(t *testing.T, w *world) {
	managers := make([]*donjon.SessionManager, 4)
	for i := range managers {
		managers[i] = w.manager(t, donjon.SessionsOptions{})
	}
	var mu sync.Mutex
	ids := make(map[string]string) // by handle
	evicted := make(map[string]bool)
	created := make(map[string]time.Time)
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			list, err := managers[0].List(t.Context(), "ann", "")
			if err != nil || len(list) > 5 {
				t.Errorf("%d sign-ins at once, %v", len(list), err)
			}
			time.Sleep(time.Millisecond)
		}
	})
	race(func(racer int) {
		in, err := managers[racer%len(managers)].LogIn(t.Context(), donjon.NewSession{Subject: "ann", Client: home}, "")
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		ids[in.Session.Handle] = in.ID
		created[in.Session.Handle] = in.Session.CreatedAt
		for _, one := range in.Session.Evicted {
			if evicted[one.Handle] {
				t.Errorf("%s was evicted twice", one.Handle)
			}
			evicted[one.Handle] = true
		}
	})
	close(stop)
	watcher.Wait()
	equal(t, "log-ins", len(ids), racers)
	equal(t, "evictions", len(evicted), racers-5)
	left := handles(t, managers[0], "ann")
	equal(t, "left", len(left), 5)
	for handle, id := range ids {
		isLeft := slices.Contains(left, handle)
		if isLeft == evicted[handle] {
			t.Errorf("left: %v, evicted: %v", isLeft, evicted[handle])
		}
		want := donjon.ErrInvalidSession
		if isLeft {
			want = nil
		}
		checked(t, handle, managers[1], id, want)
	}
	for gone := range evicted {
		for _, handle := range left {
			if created[gone].After(created[handle]) {
				t.Errorf("%v is gone, %v is left", created[gone], created[handle])
			}
		}
	}
}

// Attack 52.
func changes(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	in := logIn(t, m, "ann")
	neighbour := home
	neighbour.Address = "203.0.113.200"
	session, err := m.Check(t.Context(), in.ID, neighbour)
	ok(t, err)
	equal(t, "changes of a neighbour", session.Changes, 0)
	updated := home
	updated.UserAgent = "Browser/2.0 (Home)"
	session, err = m.Check(t.Context(), in.ID, updated)
	ok(t, err)
	equal(t, "changes of an update", session.Changes, 0)
	otherBrowser := home
	otherBrowser.UserAgent = another.UserAgent
	session, err = m.Check(t.Context(), in.ID, otherBrowser)
	ok(t, err)
	equal(t, "changes of another browser", session.Changes, donjon.UserAgentChanged)
	_, err = m.Check(t.Context(), in.ID, another)
	reason(t, "from elsewhere", err, donjon.ErrInvalidSession, donjon.SessionReasonAddress)
	checked(t, "and from home again", m, in.ID, donjon.ErrInvalidSession)

	careful := w.manager(t, donjon.SessionsOptions{
		OnAddressChange: donjon.StepUpOnChange, OnUserAgentChange: donjon.InvalidateOnChange,
	})
	in = logIn(t, careful, "ben")
	moved := home
	moved.Address = another.Address
	_, err = careful.Check(t.Context(), in.ID, moved)
	reason(t, "step up", err, donjon.ErrStepUpRequired, donjon.SessionReasonAddress)
	checked(t, "at home", careful, in.ID, nil)
	rotated, err := careful.Rotate(t.Context(), in.ID, moved, nil)
	ok(t, err)
	_, err = careful.Check(t.Context(), rotated.ID, moved)
	is(t, "stepped up", err, nil)
	_, err = careful.Check(t.Context(), rotated.ID, donjon.SessionClient{Address: moved.Address, UserAgent: "Other/1.0"})
	reason(t, "another browser", err, donjon.ErrInvalidSession, donjon.SessionReasonUserAgent)

	exact := w.manager(t, donjon.SessionsOptions{OnAddressChange: donjon.ReportOnChange, IPv4Prefix: 32})
	in = logIn(t, exact, "cid")
	session, err = exact.Check(t.Context(), in.ID, neighbour)
	ok(t, err)
	equal(t, "changes of a neighbour, exactly", session.Changes, donjon.AddressChanged)
}

// Attack 53: ids of 256 random bits, which the store never sees.
func whatTheStoreSees(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{MaxPerUser: 64})
	random := make(map[string]bool)
	for range 64 {
		in := logIn(t, m, "ann")
		id, err := base64.RawURLEncoding.DecodeString(in.ID)
		ok(t, err)
		random[string(id[16:])] = true
		for key, value := range w.store.all(t) {
			for _, secret := range [][]byte{[]byte(in.ID), id, id[16:], id[16:32]} {
				if bytes.Contains(value, secret) || bytes.Contains([]byte(key), secret) {
					t.Fatalf("the store has the id under %s", key)
				}
			}
		}
		guess := []byte(in.ID)
		guess[30+rand.IntN(30)] ^= 1 // perhaps no letter of base64 any more
		if _, err := m.Check(t.Context(), string(guess), home); err == nil {
			t.Fatal("a guess is good")
		}
		text := fmt.Sprintf("%v %+v %#v %s", in, *in, *in, in)
		if bytes.Contains([]byte(text), []byte(in.ID)) {
			t.Fatalf("printed: %s", text)
		}
	}
	equal(t, "different ids", len(random), 64)
	for _, id := range []string{"", "a", string(bytes.Repeat([]byte("A"), 64)), string(bytes.Repeat([]byte("A"), 65)), "\x00"} {
		if _, err := m.Check(t.Context(), id, home); !errors.Is(err, donjon.ErrInvalidSession) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// A check within the interval reads, and writes nothing.
func touched(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{TouchInterval: time.Minute})
	in := logIn(t, m, "ann")
	same := func(what string, want bool) {
		t.Helper()
		before := w.sessionRecords(t)
		checked(t, what, m, in.ID, nil)
		equal(t, what+": unchanged", fmt.Sprint(w.sessionRecords(t)) == fmt.Sprint(before), want)
	}
	same("at once", true)
	w.clock.advance(59 * time.Second)
	same("after 59 seconds", true)
	w.clock.advance(2 * time.Second)
	same("after a minute", false)
	same("and at once again", true)
	w.clock.advance(-4 * time.Minute)
	same("by a clock that was put back", true)
}

// sessionRecords are the records of sessions that are stored.
func (w *world) sessionRecords(t testing.TB) map[string][]byte {
	t.Helper()
	records := make(map[string][]byte)
	for key, value := range w.store.all(t) {
		if bytes.HasSuffix([]byte(key), []byte(":sessions")) {
			records[key] = value
		}
	}
	return records
}

func refreshed(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	n := donjon.NewSession{Subject: "ann", Client: home, Label: "phone"}
	pair, err := m.BeginTokens(t.Context(), w.tokens.issuer, n, donjon.Grant{
		Roles: []string{"editor"}, Claims: map[string]any{"plan": "gold"},
	})
	ok(t, err)
	access := w.accessOf(t, pair)
	equal(t, "subject", access.Subject(), "ann")
	equal(t, "family", access.Family(), pair.Session.Handle)
	equal(t, "roles", fmt.Sprint(access.Roles()), "[editor]")
	equal(t, "family of the refresh token", w.refreshOf(t, pair).Family(), pair.Session.Handle)
	list, err := m.List(t.Context(), "ann", pair.Session.Handle)
	ok(t, err)
	equal(t, "kind", list[0].Kind, donjon.TokenSession)
	equal(t, "current", list[0].Current, true)
	for range 3 {
		w.clock.advance(time.Minute)
		next, err := w.refresh(t, m, pair)
		ok(t, err)
		equal(t, "the same family", next.Session.Handle, pair.Session.Handle)
		if next.Refresh == pair.Refresh || next.Access == pair.Access {
			t.Error("nothing is new")
		}
		is(t, "the new access token", m.Revocations().Check(t.Context(), w.accessOf(t, next)), nil)
		pair = next
	}
	_, err = m.RefreshTokens(t.Context(), w.tokens.issuer, w.accessOf(t, pair), home, donjon.Grant{})
	is(t, "an access token", err, donjon.ErrWrongTokenType)
	text := fmt.Sprintf("%v %+v %#v", pair, *pair, *pair)
	if bytes.Contains([]byte(text), []byte(pair.Access)) || bytes.Contains([]byte(text), []byte(pair.Refresh)) {
		t.Errorf("printed: %s", text)
	}
	ok(t, m.LogOutTokens(t.Context(), w.refreshOf(t, pair)))
	ok(t, m.LogOutTokens(t.Context(), w.refreshOf(t, pair)))
	_, err = w.refresh(t, m, pair)
	is(t, "after log-out", err, donjon.ErrRevoked)
	is(t, "the access token after log-out", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), donjon.ErrRevoked)
}

// Attack 20: refreshes at once, within the grace, are one.
func refreshedAtOnce(t *testing.T, w *world) {
	managers := make([]*donjon.SessionManager, 4)
	for i := range managers {
		managers[i] = w.manager(t, donjon.SessionsOptions{})
	}
	pair := beginTokens(t, managers[0], w, "ann")
	for range 3 {
		used := w.refreshOf(t, pair)
		var mu sync.Mutex
		successors := make(map[string]bool) // by their ids, which are the same whoever asks
		var next *donjon.TokenPair
		race(func(racer int) {
			m := managers[racer%len(managers)]
			got, err := m.RefreshTokens(t.Context(), w.tokens.issuer, used, home, donjon.Grant{})
			if err != nil {
				t.Error(err)
				return
			}
			claims, err := w.tokens.refresh.VerifyAt(got.Refresh, w.clock.now().Add(5*time.Second))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			successors[claims.TokenID()] = true
			next = got
		})
		equal(t, "successors", len(successors), 1)
		if next == nil {
			t.FailNow()
		}
		pair = next
	}
	equal(t, "sign-ins", len(handles(t, managers[0], "ann")), 1)
}

// Attack 20: a refresh token that is used again after the grace.
func refreshedStolen(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	stolen, other := beginTokens(t, m, w, "ann"), beginTokens(t, m, w, "ann")
	w.clock.advance(time.Second)
	good, err := w.refresh(t, m, stolen)
	ok(t, err)
	w.clock.advance(9 * time.Second)
	again, err := w.refresh(t, m, stolen)
	ok(t, err)
	equal(t, "the same successor", w.refreshOf(t, again).TokenID(), w.refreshOf(t, good).TokenID())
	w.clock.advance(2 * time.Second)
	_, err = w.refresh(t, m, stolen)
	is(t, "after the grace", err, donjon.ErrReuseDetected)
	for _, pair := range []*donjon.TokenPair{stolen, good, again} {
		_, err = w.refresh(t, m, pair)
		is(t, "after the theft", err, donjon.ErrRevoked)
		is(t, "the access token", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), donjon.ErrRevoked)
	}
	_, err = w.refresh(t, m, other)
	is(t, "the other family", err, nil)
	is(t, "its access token", m.Revocations().Check(t.Context(), w.accessOf(t, other)), nil)
	equal(t, "sign-ins", len(handles(t, m, "ann")), 1)

	revoked := beginTokens(t, m, w, "ben")
	_, err = w.refresh(t, m, revoked)
	ok(t, err)
	ok(t, m.Revoke(t.Context(), "ben", revoked.Session.Handle))
	_, err = w.refresh(t, m, revoked)
	is(t, "inside the grace, after it was revoked", err, donjon.ErrRevoked)

	strict := w.manager(t, donjon.SessionsOptions{NoRefreshGrace: true})
	pair := beginTokens(t, strict, w, "cid")
	_, err = w.refresh(t, strict, pair)
	ok(t, err)
	w.clock.advance(time.Millisecond)
	_, err = w.refresh(t, strict, pair)
	is(t, "without a grace", err, donjon.ErrReuseDetected)
}

// A theft that is found while the store fails is found again, and the thief's access
// token ends.
func refreshedStolenWhileTheStoreFails(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{NoRefreshGrace: true})
	stolen := beginTokens(t, m, w, "ann")
	thief, err := w.refresh(t, m, stolen)
	ok(t, err)
	w.clock.advance(time.Millisecond)
	part := "revoked:family"
	w.store.failsAt.Store(&part)
	_, err = w.refresh(t, m, stolen)
	is(t, "while the store fails", err, donjon.ErrStoreUnavailable)
	w.store.failsAt.Store(nil)
	_, err = w.refresh(t, m, stolen)
	is(t, "afterwards", err, donjon.ErrReuseDetected)
	is(t, "the access token", m.Revocations().Check(t.Context(), w.accessOf(t, thief)), donjon.ErrRevoked)
}

// However a sign-in ends, its access tokens end with it.
func endedTokens(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{MaxPerUser: 2})
	alive := func(what string, pair *donjon.TokenPair, want error) {
		t.Helper()
		is(t, what, m.Revocations().Check(t.Context(), w.accessOf(t, pair)), want)
	}
	first, second := beginTokens(t, m, w, "ann"), beginTokens(t, m, w, "ann")
	alive("the first", first, nil)
	w.clock.advance(time.Second)
	in := logIn(t, m, "ann")
	equal(t, "evicted", fmt.Sprint(in.Session.Evicted), fmt.Sprint([]donjon.EvictedSession{{Handle: first.Session.Handle, Kind: donjon.TokenSession}}))
	alive("evicted", first, donjon.ErrRevoked)
	alive("the second", second, nil)
	third := beginTokens(t, m, w, "ann")
	alive("evicted by tokens", second, donjon.ErrRevoked)
	alive("the third", third, nil)
	ok(t, m.RevokeOthers(t.Context(), "ann", in.Session.Handle))
	alive("one of the others", third, donjon.ErrRevoked)
	checked(t, "the one that stays", m, in.ID, nil)
	fourth := beginTokens(t, m, w, "ann")
	ok(t, m.RevokeOthers(t.Context(), "ann", fourth.Session.Handle))
	alive("the one that stays", fourth, nil)
	ok(t, m.Revoke(t.Context(), "ann", fourth.Session.Handle))
	alive("revoked", fourth, donjon.ErrRevoked)
	_, err := w.refresh(t, m, fourth)
	is(t, "refreshed after it was revoked", err, donjon.ErrRevoked)
}

// The access tokens of a family that has to go are dead, even if the store fails before
// it has gone.
func evictedWhileTheStoreFails(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{MaxPerUser: 1})
	begins := map[string]func() error{
		"a session": func() error {
			_, err := m.LogIn(t.Context(), donjon.NewSession{Subject: "ann"}, "")
			return err
		},
		"tokens": func() error {
			_, err := m.BeginTokens(t.Context(), w.tokens.issuer, donjon.NewSession{Subject: "ann"}, donjon.Grant{})
			return err
		},
	}
	for what, begin := range begins {
		pair := beginTokens(t, m, w, "ann")
		part := ":sessions"
		w.store.failsAt.Store(&part)
		is(t, what+", while the store fails", begin(), donjon.ErrStoreUnavailable)
		w.store.failsAt.Store(nil)
		is(t, "the access token", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), donjon.ErrRevoked)
		equal(t, "sign-ins", handles(t, m, "ann")[0], pair.Session.Handle)
		ok(t, begin())
	}
}

// A family whose access tokens are dead goes, even if it need not have.
func evictedAsOthersMadeRoom(t *testing.T, w *world) {
	m, elsewhere := w.manager(t, donjon.SessionsOptions{MaxPerUser: 2}), w.manager(t, donjon.SessionsOptions{MaxPerUser: 2})
	pair := beginTokens(t, m, w, "ann")
	other := logIn(t, m, "ann")
	makeRoom := sync.OnceFunc(func() { ok(t, elsewhere.LogOut(t.Context(), other.ID)) })
	hook := func(key string) {
		if strings.Contains(key, "revoked:family") {
			makeRoom()
		}
	}
	w.store.beforeReplace.Store(&hook)
	mine := logIn(t, m, "ann")
	w.store.beforeReplace.Store(nil)
	is(t, "the access token", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), donjon.ErrRevoked)
	equal(t, "sign-ins", fmt.Sprint(handles(t, m, "ann")), fmt.Sprint([]string{mine.Session.Handle}))
	_, err := w.refresh(t, m, pair)
	is(t, "the refresh token", err, donjon.ErrRevoked)
}

func sessionsLoggedOutEverywhere(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	in, pair, ben := logIn(t, m, "ann"), beginTokens(t, m, w, "ann"), logIn(t, m, "ben")
	unlisted := w.issue(t, m.Revocations(), "ann")
	for range 2 {
		ok(t, m.LogOutEverywhere(t.Context(), "ann"))
		checked(t, "the session", m, in.ID, donjon.ErrInvalidSession)
		_, err := w.refresh(t, m, pair)
		is(t, "the refresh token", err, donjon.ErrRevoked)
		is(t, "the access token", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), donjon.ErrRevoked)
		is(t, "a token that nobody listed", m.Revocations().Check(t.Context(), unlisted), donjon.ErrRevoked)
		equal(t, "sign-ins", len(handles(t, m, "ann")), 0)
		checked(t, "somebody else", m, ben.ID, nil)

		// In the same second, all over again.
		in, pair = logIn(t, m, "ann"), beginTokens(t, m, w, "ann")
		checked(t, "the new session", m, in.ID, nil)
		is(t, "the new access token", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), nil)
		pair, err = w.refresh(t, m, pair)
		is(t, "the new refresh token", err, nil)
		is(t, "the refreshed access token", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), nil)
		unlisted = w.accessOf(t, pair)
	}
}

// What was there before the call lives no longer when it has returned, whatever goes on.
func loggedOutEverywhereRaced(t *testing.T, w *world) {
	managers := make([]*donjon.SessionManager, 4)
	for i := range managers {
		managers[i] = w.manager(t, donjon.SessionsOptions{MaxPerUser: 64})
	}
	for range 5 {
		var began sync.Map // *donjon.TokenPair, before the log-out began
		first := beginTokens(t, managers[0], w, "ann")
		var logOut atomic.Bool
		race(func(racer int) {
			m := managers[racer%len(managers)]
			switch {
			case racer == 40:
				logOut.Store(true)
				if err := m.LogOutEverywhere(t.Context(), "ann"); err != nil {
					t.Error(err)
				}
			case racer%2 == 0:
				pair, err := m.BeginTokens(t.Context(), w.tokens.issuer, donjon.NewSession{Subject: "ann", Client: home}, donjon.Grant{})
				if err != nil {
					t.Error(err)
				} else if !logOut.Load() {
					began.Store(pair, true)
				}
			default:
				pair, err := m.RefreshTokens(t.Context(), w.tokens.issuer, w.refreshOf(t, first), home, donjon.Grant{})
				switch {
				case err != nil && !errors.Is(err, donjon.ErrRevoked):
					t.Error(err)
				case err == nil && !logOut.Load():
					began.Store(pair, true)
				}
			}
		})
		began.Store(first, true)
		began.Range(func(key, _ any) bool {
			pair := key.(*donjon.TokenPair)
			_, err := w.refresh(t, managers[0], pair)
			is(t, "refreshed after log-out", err, donjon.ErrRevoked)
			is(t, "access after log-out", managers[1].Revocations().Check(t.Context(), w.accessOf(t, pair)), donjon.ErrRevoked)
			return true
		})
		w.clock.advance(2 * time.Second)
	}
}

// Attack 52a.
func forgottenSessions(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	in, pair := logIn(t, m, "ann"), beginTokens(t, m, w, "ann")
	w.clock.advance(forgetfulness)
	w.store.restore(t, nil)
	checked(t, "the session", m, in.ID, donjon.ErrInvalidSession)
	_, err := w.refresh(t, m, pair)
	if err == nil {
		t.Error("refreshed")
	}
	is(t, "the access token", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), donjon.ErrRevoked)
	in, pair = logIn(t, m, "ann"), beginTokens(t, m, w, "ann")
	checked(t, "the new session", m, in.ID, nil)
	is(t, "the new access token", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), nil)
	_, err = w.refresh(t, m, pair)
	is(t, "the new refresh token", err, nil)
}

// Attack 52a: what was ended does not come back with a copy of the store.
func restoredSessions(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	in, pair := logIn(t, m, "ann"), beginTokens(t, m, w, "ann")
	snapshot := w.store.all(t)
	w.clock.advance(20 * time.Second)
	ok(t, m.LogOut(t.Context(), in.ID))
	ok(t, m.Revoke(t.Context(), "ann", pair.Session.Handle))
	w.store.restore(t, snapshot)
	_, err := m.Check(t.Context(), in.ID, home)
	reason(t, "the session", err, donjon.ErrInvalidSession, donjon.SessionReasonStore)
	_, err = w.refresh(t, m, pair)
	if err == nil {
		t.Error("refreshed")
	}
	is(t, "the access token", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), donjon.ErrRevoked)
	checked(t, "logged in again", m, logIn(t, m, "ann").ID, nil)

	quietly := logIn(t, m, "ben")
	for range 4 {
		w.clock.advance(silence / 2)
		ok(t, m.KeepAlive(t.Context()))
	}
	checked(t, "without a request for two hours", m, quietly.ID, nil)

	w.store.restore(t, snapshot)
	stranger := w.manager(t, donjon.SessionsOptions{})
	checked(t, "in a process that has just begun", stranger, in.ID, donjon.ErrStoreUnavailable)
	time.Sleep(confirmed)
	checked(t, "in a process that has made sure", stranger, in.ID, donjon.ErrInvalidSession)
}

func damagedSessions(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	in := logIn(t, m, "ann")
	other := logIn(t, m, "ben")
	records := w.sessionRecords(t)
	equal(t, "records", len(records), 2)
	key, err := m.Sessions().Key(in.ID)
	ok(t, err)
	otherKey, err := m.Sessions().Key(other.ID)
	ok(t, err)
	replace := func(value []byte) {
		t.Helper()
		present := get(t, w.store, key)
		replaced, err := w.store.Replace(t.Context(), key, present, value, time.Hour)
		ok(t, err)
		equal(t, "replaced", replaced, true)
	}
	for _, value := range [][]byte{{0}, []byte("damaged"), records[key][:len(records[key])-1], append(slices.Clone(records[key]), 0), records[otherKey]} {
		replace(value)
		_, err := m.Check(t.Context(), in.ID, home)
		is(t, "damaged", err, donjon.ErrInvalidSession)
		equal(t, "sign-ins", len(handles(t, m, "ann")), 0)
		checked(t, "logged in over it", m, logIn(t, m, "ann").ID, nil)
	}
	replace([]byte("damaged"))
	ok(t, m.LogOutEverywhere(t.Context(), "ann"))
	equal(t, "records", len(w.sessionRecords(t)), 1)
}

// A client whose answer got lost sends the write again, and is told that something else
// is there, which is its own: nothing happens twice, and nobody is taken for a thief.
func lostAnswers(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{NoRefreshGrace: true, MaxPerUser: 2})
	first := logIn(t, m, "ann")
	w.store.repeats.Store(true)
	for _, waits := range []bool{false, true} {
		w.store.waits.Store(waits)
		before := w.store.confirmed.Load()
		in := logIn(t, m, "ann")
		equal(t, "sign-ins", len(handles(t, m, "ann")), 2)
		checked(t, "logged in", m, in.ID, nil)
		checked(t, "logged in before", m, first.ID, nil)
		rotated, err := m.Rotate(t.Context(), in.ID, home, nil)
		ok(t, err)
		checked(t, "rotated", m, rotated.ID, nil)
		ok(t, m.Revoke(t.Context(), "ann", rotated.Session.Handle))
		checked(t, "revoked", m, rotated.ID, donjon.ErrInvalidSession)
		pair := beginTokens(t, m, w, "ann")
		equal(t, "sign-ins with tokens", len(handles(t, m, "ann")), 2)
		next, err := w.refresh(t, m, pair)
		ok(t, err)
		is(t, "refreshed", m.Revocations().Check(t.Context(), w.accessOf(t, next)), nil)
		ok(t, m.Revocations().Revoke(t.Context(), w.accessOf(t, next)))
		is(t, "revoked", m.Revocations().Check(t.Context(), w.accessOf(t, next)), donjon.ErrRevoked)
		ok(t, m.LogOutTokens(t.Context(), w.refreshOf(t, next)))
		equal(t, "acknowledged", w.store.confirmed.Load() > before, waits)
	}
	ok(t, m.LogOutEverywhere(t.Context(), "ann"))
	ok(t, m.Revocations().RevokeSubject(t.Context(), "ann"))
	checked(t, "logged out everywhere", m, first.ID, donjon.ErrInvalidSession)
	_, err := m.Revocations().Publish(t.Context(), w.keys, time.Minute)
	is(t, "published", err, donjon.ErrStoreUnavailable) // for another one may have drawn the same sequence
}

// By a clock that is minutes behind, nobody is let in, and the operator is told why.
func sessionsByAClockThatIsBehind(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	in := logIn(t, m, "ann")
	w.clock.advance(-4 * time.Minute)
	checked(t, "four minutes behind", m, in.ID, nil)
	w.clock.advance(-2 * time.Minute)
	_, err := m.Check(t.Context(), in.ID, home)
	is(t, "six minutes behind", err, donjon.ErrStoreUnavailable)
	if !strings.Contains(fmt.Sprint(err), "clock") {
		t.Errorf("it does not say why: %v", err)
	}
	w.clock.advance(6 * time.Minute)
	checked(t, "again", m, in.ID, nil)
}

func sessionsOfNoStore(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	in, pair := logIn(t, m, "ann"), beginTokens(t, m, w, "ann")
	all := map[string]func(context.Context) error{
		"log in": func(ctx context.Context) error {
			_, err := m.LogIn(ctx, donjon.NewSession{Subject: "ann"}, "")
			return err
		},
		"again": func(ctx context.Context) error {
			_, err := m.LogIn(ctx, donjon.NewSession{Subject: "ann"}, in.ID)
			return err
		},
		"anonymous": func(ctx context.Context) error { _, err := m.BeginAnonymous(ctx, donjon.NewSession{}); return err },
		"check":     func(ctx context.Context) error { _, err := m.Check(ctx, in.ID, home); return err },
		"rotate":    func(ctx context.Context) error { _, err := m.Rotate(ctx, in.ID, home, nil); return err },
		"list":      func(ctx context.Context) error { _, err := m.List(ctx, "ann", ""); return err },
		"revoke":    func(ctx context.Context) error { return m.Revoke(ctx, "ann", in.Session.Handle) },
		"others":    func(ctx context.Context) error { return m.RevokeOthers(ctx, "ann", in.ID) },
		"log out":   func(ctx context.Context) error { return m.LogOut(ctx, in.ID) },
		"keep it":   func(ctx context.Context) error { return m.KeepAlive(ctx) },
		"everyone":  func(ctx context.Context) error { return m.LogOutEverywhere(ctx, "ann") },
		"tokens": func(ctx context.Context) error {
			_, err := m.BeginTokens(ctx, w.tokens.issuer, donjon.NewSession{Subject: "ann"}, donjon.Grant{})
			return err
		},
		"refresh": func(ctx context.Context) error {
			_, err := m.RefreshTokens(ctx, w.tokens.issuer, w.refreshOf(t, pair), home, donjon.Grant{})
			return err
		},
	}
	before := w.store.all(t)
	w.store.fails.Store(true)
	for name, call := range all {
		is(t, name, call(t.Context()), donjon.ErrStoreUnavailable)
	}
	w.store.fails.Store(false)
	for name, call := range all {
		is(t, name+", canceled", call(expired(t)), context.Canceled)
	}
	equal(t, "what is stored is unchanged", fmt.Sprint(w.store.all(t)) == fmt.Sprint(before), true)
	checked(t, "the session", m, in.ID, nil)
}

// With a cache, what is ended elsewhere lives no longer than its bound, and what began
// elsewhere is good at once.
func rememberedSessions(t *testing.T, w *world) {
	const bound = 200 * time.Millisecond
	far := w.manager(t, donjon.SessionsOptions{})
	mine := managerOf(t, w.keys, &donjon.CachedRecords{Store: w.store, MaxAge: bound}, w.clock, donjon.SessionsOptions{})
	in := logIn(t, far, "ann")
	checked(t, "began elsewhere", mine, in.ID, nil)
	second := logIn(t, far, "ann")
	checked(t, "began elsewhere, while the record is remembered", mine, second.ID, nil)
	ok(t, far.LogOut(t.Context(), in.ID))
	ended := time.Now()
	for {
		if _, err := mine.Check(t.Context(), in.ID, home); err != nil {
			is(t, "ended elsewhere", err, donjon.ErrInvalidSession)
			break
		}
		if time.Since(ended) > bound+100*time.Millisecond {
			t.Fatal("accepted for longer than promised")
		}
		time.Sleep(time.Millisecond)
	}
	checked(t, "the other", mine, second.ID, nil)
	ok(t, mine.LogOut(t.Context(), second.ID))
	checked(t, "ended here", mine, second.ID, donjon.ErrInvalidSession)
	for range 7 {
		checked(t, "begun here", mine, logIn(t, mine, "ann").ID, nil)
	}
	equal(t, "sign-ins", len(handles(t, far, "ann")), 5)
}

func sealedSessions(t *testing.T, w *world) {
	sealed := donjon.SessionsOptions{Sealed: true}
	m := w.manager(t, sealed)
	in, err := m.LogIn(t.Context(), donjon.NewSession{Subject: "ann@example.com", Client: home, Label: "phone of Ann"}, "")
	ok(t, err)
	pair := beginTokens(t, m, w, "ann@example.com")
	for _, value := range w.sessionRecords(t) {
		if bytes.Contains(value, []byte("ann@")) || bytes.Contains(value, []byte("phone")) {
			t.Error("the store sees whose session it is")
		}
	}
	checked(t, "in another process", w.manager(t, sealed), in.ID, nil)
	pair, err = w.refresh(t, m, pair)
	ok(t, err)
	equal(t, "sign-ins", len(handles(t, m, "ann@example.com")), 2)
	checked(t, "by who expects no seal", w.manager(t, donjon.SessionsOptions{}), in.ID, donjon.ErrInvalidSession)
	ok(t, m.LogOut(t.Context(), in.ID))
	checked(t, "logged out", m, in.ID, donjon.ErrInvalidSession)
	ok(t, m.LogOutTokens(t.Context(), w.refreshOf(t, pair)))
	equal(t, "records", len(w.sessionRecords(t)), 0)
	before, err := m.BeginAnonymous(t.Context(), donjon.NewSession{Client: home})
	ok(t, err)
	checked(t, "anonymous", m, before.ID, nil)
	ok(t, m.LogOut(t.Context(), before.ID))
	equal(t, "records", len(w.sessionRecords(t)), 0)
}

// Sessions outlive a rotation of the keys that say where their records are, until the
// next log-in.
func sessionsUnderOldKeys(t *testing.T, w *world) {
	old := w.manager(t, donjon.SessionsOptions{})
	in, pair := logIn(t, old, "ann"), beginTokens(t, old, w, "ann")
	ben, cid := logIn(t, old, "ben"), logIn(t, old, "cid")
	unlisted := w.issue(t, old.Revocations(), "dan")
	ok(t, old.Revocations().Revoke(t.Context(), unlisted))
	rotated, err := w.keys.Rotate(donjon.Rotation{Purpose: donjon.PurposeDevice, Overlap: time.Hour})
	ok(t, err)
	defer rotated.Close()
	m := managerOf(t, rotated, w.store, w.clock, donjon.SessionsOptions{})
	checked(t, "the session", m, in.ID, nil)
	is(t, "revoked before", m.Revocations().Check(t.Context(), unlisted), donjon.ErrRevoked)
	equal(t, "sign-ins", len(handles(t, m, "ann")), 2)
	pair, err = w.refresh(t, m, pair)
	ok(t, err)
	ok(t, m.Revoke(t.Context(), "ann", in.Session.Handle))
	checked(t, "revoked", m, in.ID, donjon.ErrInvalidSession)
	again := logIn(t, m, "ann")
	equal(t, "sign-ins after log-in", len(handles(t, m, "ann")), 1)
	is(t, "tokens after log-in", m.Revocations().Check(t.Context(), w.accessOf(t, pair)), donjon.ErrRevoked)
	_, err = w.refresh(t, m, pair)
	is(t, "refreshed after log-in", err, donjon.ErrRevoked)
	checked(t, "logged in", m, again.ID, nil)
	ok(t, m.LogOut(t.Context(), ben.ID))
	checked(t, "logged out", old, ben.ID, donjon.ErrInvalidSession)
	ok(t, m.LogOutEverywhere(t.Context(), "cid"))
	checked(t, "logged out everywhere", old, cid.ID, donjon.ErrInvalidSession)
	dan := logIn(t, old, "dan")
	ok(t, m.RevokeOthers(t.Context(), "dan", dan.ID))
	checked(t, "the one that stays", m, dan.ID, nil)
}

// Everything at once, on few users: what is live is what is listed, and never more than
// may be.
func sessionsAllAtOnce(t *testing.T, w *world) {
	managers := make([]*donjon.SessionManager, 4)
	for i := range managers {
		managers[i] = w.manager(t, donjon.SessionsOptions{MaxPerUser: 3})
	}
	users := []string{"ann", "ben", "cid"}
	var mu sync.Mutex
	ids := make(map[string][]string)
	race(func(racer int) {
		random := rand.New(rand.NewPCG(uint64(racer), 6))
		for range 10 {
			m, user := managers[random.IntN(len(managers))], users[random.IntN(len(users))]
			var err error
			switch random.IntN(6) {
			case 0, 1:
				var in *donjon.LoggedIn
				if in, err = m.LogIn(t.Context(), donjon.NewSession{Subject: user, Client: home}, ""); err == nil {
					mu.Lock()
					ids[user] = append(ids[user], in.ID)
					mu.Unlock()
				}
			case 2:
				_, err = m.BeginTokens(t.Context(), w.tokens.issuer, donjon.NewSession{Subject: user, Client: home}, donjon.Grant{})
			case 3:
				var list []donjon.Session
				if list, err = m.List(t.Context(), user, ""); err == nil && len(list) > 0 {
					err = m.Revoke(t.Context(), user, list[random.IntN(len(list))].Handle)
				}
				if len(list) > 3 {
					t.Errorf("%s has %d sign-ins", user, len(list))
				}
			case 4:
				mu.Lock()
				mine := slices.Clone(ids[user])
				mu.Unlock()
				if len(mine) > 0 {
					_, err = m.Check(t.Context(), mine[random.IntN(len(mine))], home)
				}
			default:
				if random.IntN(5) == 0 {
					err = m.LogOutEverywhere(t.Context(), user)
				}
			}
			if err != nil && !errors.Is(err, donjon.ErrInvalidSession) {
				t.Error(err)
			}
		}
	})
	for _, user := range users {
		list, err := managers[0].List(t.Context(), user, "")
		ok(t, err)
		live := 0
		for _, id := range ids[user] {
			if session, err := managers[1].Check(t.Context(), id, home); err == nil {
				live++
				if !slices.ContainsFunc(list, func(s donjon.Session) bool { return s.Handle == session.Handle }) {
					t.Errorf("%s is live and not listed", session.Handle)
				}
			}
		}
		cookies := 0
		for _, session := range list {
			if session.Kind == donjon.CookieSession {
				cookies++
			}
		}
		equal(t, "live sessions of "+user, live, cookies)
	}
}

func badGrants(t *testing.T, w *world) {
	m := w.manager(t, donjon.SessionsOptions{})
	for name, access := range map[string]donjon.Grant{
		"a family": {Claims: map[string]any{"family": "AAAAAAAAAAAAAAAAAAAAAA"}}, "a subject": {Subject: "ben"},
		"a time": {Now: time.Now()}, "a past": {RevokedSince: time.Now()}, "a registered claim": {Claims: map[string]any{"sub": "ben"}},
	} {
		_, err := m.BeginTokens(t.Context(), w.tokens.issuer, donjon.NewSession{Subject: "ann"}, access)
		is(t, name, err, donjon.ErrInvalidArgument)
	}
	equal(t, "sign-ins", len(handles(t, m, "ann")), 0)
}
