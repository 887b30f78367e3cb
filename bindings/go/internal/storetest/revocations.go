package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// A world is what the tests of revocations are about.
type world struct {
	keys   *donjon.Keyring
	store  *noteStore
	clock  *clock
	tokens tokens
}

func newWorld(t testing.TB, open Open) *world {
	t.Helper()
	keys, c := keyring(t), new(clock)
	return &world{keys, newNoteStore(open(t)), c, newTokens(t, keys, c)}
}

// revocations is another process.
func (w *world) revocations(t testing.TB, change func(*donjon.RevocationsOptions)) *donjon.Revocations {
	t.Helper()
	opts := donjon.RevocationsOptions{Clock: w.clock.now, MaxSilence: silence, Logger: quiet}
	if change != nil {
		change(&opts)
	}
	revocations, err := donjon.NewRevocations(w.keys, w.store, opts)
	ok(t, err)
	t.Cleanup(func() { _ = revocations.Close() })
	return revocations
}

// issue issues an access token that outlives what was revoked.
func (w *world) issue(t testing.TB, r *donjon.Revocations, subject string) *donjon.Claims {
	t.Helper()
	since, err := r.IssueSince(t.Context(), subject)
	ok(t, err)
	return w.tokens.issue(t, donjon.Grant{Subject: subject, RevokedSince: since})
}

// Revocations tests what is promised of revoked tokens on a store.
func Revocations(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *world){
		"one by one":               revokedOneByOne,
		"log out everywhere":       loggedOutEverywhere,
		"while a write takes long": loggedOutEverywhereSlowly,
		"at once":                  revokedAtOnce,
		"a store that forgets":     forgottenRevocations,
		"a store that goes back":   restoredRevocations,
		"a store that is damaged":  damagedRevocations,
		"a store that is down":     revocationsOfNoStore,
		"what is remembered":       rememberedRevocations,
		"offline":                  offline,
		"published at once":        publishedAtOnce,
	} {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, open)) })
	}
}

func revokedOneByOne(t *testing.T, w *world) {
	here, there := w.revocations(t, nil), w.revocations(t, nil)
	check := func(what string, claims *donjon.Claims, want error) {
		t.Helper()
		is(t, what+" here", here.Check(t.Context(), claims), want)
		is(t, what+" there", there.Check(t.Context(), claims), want)
	}
	first, second := w.issue(t, here, "ann"), w.issue(t, here, "ann")
	check("before", first, nil)
	ok(t, here.Revoke(t.Context(), first))
	check("the token", first, donjon.ErrRevoked)
	check("another token", second, nil)
	ok(t, here.Revoke(t.Context(), first))

	family, other := "AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBA"
	of := func(family string) *donjon.Claims {
		since, err := here.IssueSince(t.Context(), "ann")
		ok(t, err)
		return w.tokens.issue(t, donjon.Grant{Subject: "ann", RevokedSince: since, Claims: map[string]any{"family": family}})
	}
	mine, yours := of(family), of(other)
	ok(t, there.RevokeFamily(t.Context(), "ann", family))
	check("of the family", mine, donjon.ErrRevoked)
	check("of another family", yours, nil)
	check("of no family", second, nil)

	ok(t, here.RevokeKey(t.Context(), "another key"))
	check("of another key", second, nil)
	ok(t, here.RevokeKey(t.Context(), second.KeyID()))
	check("of the key", second, donjon.ErrRevoked)
	is(t, "revoked by no id", here.RevokeToken(t.Context(), "ann", "", time.Time{}), donjon.ErrInvalidArgument)
}

// Attack 52a: who logs in again in the same second is in, what was issued before is out.
func loggedOutEverywhere(t *testing.T, w *world) {
	r := w.revocations(t, nil)
	var dead []*donjon.Claims
	ben := w.issue(t, r, "ben")
	for round := range 4 {
		for range 2 {
			dead = append(dead, w.issue(t, r, "ann"))
			is(t, "before", r.Check(t.Context(), dead[len(dead)-1]), nil)
		}
		ok(t, r.RevokeSubject(t.Context(), "ann"))
		for i, claims := range dead {
			is(t, fmt.Sprintf("round %d: token %d", round, i), r.Check(t.Context(), claims), donjon.ErrRevoked)
		}
	}
	is(t, "logged in again", r.Check(t.Context(), w.issue(t, r, "ann")), nil)
	is(t, "somebody else", r.Check(t.Context(), ben), nil)
	is(t, "nobody", r.RevokeSubject(t.Context(), ""), donjon.ErrInvalidArgument)
}

// What was issued while a slow store was written to was issued before the call returned.
func loggedOutEverywhereSlowly(t *testing.T, w *world) {
	r, elsewhere := w.revocations(t, nil), w.revocations(t, nil)
	ok(t, r.RevokeSubject(t.Context(), "ann"))
	w.clock.advance(time.Minute)
	var meanwhile *donjon.Claims
	slow := func(string) {
		w.store.beforeReplace.Store(nil)
		w.clock.advance(10 * time.Second)
		meanwhile = w.issue(t, elsewhere, "ann")
	}
	w.store.beforeReplace.Store(&slow)
	ok(t, r.RevokeSubject(t.Context(), "ann"))
	is(t, "issued meanwhile", r.Check(t.Context(), meanwhile), donjon.ErrRevoked)
	is(t, "issued after that", r.Check(t.Context(), w.issue(t, r, "ann")), nil)
}

// What was revoked is not accepted after the call has returned, whoever checks.
func revokedAtOnce(t *testing.T, w *world) {
	const checkers = 8
	processes := make([]*donjon.Revocations, checkers)
	for i := range processes {
		processes[i] = w.revocations(t, nil)
	}
	for round := range 10 {
		claims := w.issue(t, processes[0], fmt.Sprint("user ", round))
		var revoked atomic.Bool
		var group sync.WaitGroup
		for _, process := range processes {
			group.Go(func() {
				for late := 0; late < 3; {
					is := revoked.Load()
					err := process.Check(t.Context(), claims)
					switch {
					case is && !errors.Is(err, donjon.ErrRevoked):
						t.Errorf("after it was revoked: %v", err)
					case err != nil && !errors.Is(err, donjon.ErrRevoked):
						t.Error(err)
					}
					if is {
						late++
					}
				}
			})
		}
		var revoke sync.WaitGroup
		for i := range 3 {
			revoke.Go(func() {
				var err error
				switch (round + i) % 2 {
				case 0:
					err = processes[i].Revoke(t.Context(), claims)
				default:
					err = processes[i].RevokeSubject(t.Context(), claims.Subject())
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		revoke.Wait()
		revoked.Store(true)
		group.Wait()
	}
}

// forgetfulness is how long a store has to have been there for what it forgets to be
// noticed for sure: times in tokens are in seconds.
const forgetfulness = 4 * time.Second

// Attack 52a: a store that was flushed.
func forgottenRevocations(t *testing.T, w *world) {
	r := w.revocations(t, nil)
	revoked, other := w.issue(t, r, "ann"), w.issue(t, r, "ben")
	ok(t, r.Revoke(t.Context(), revoked))
	w.clock.advance(forgetfulness)
	w.store.restore(t, nil)
	for _, process := range []*donjon.Revocations{r, w.revocations(t, nil)} {
		is(t, "revoked", process.Check(t.Context(), revoked), donjon.ErrRevoked)
		is(t, "from before", process.Check(t.Context(), other), donjon.ErrRevoked)
		is(t, "from after", process.Check(t.Context(), w.issue(t, process, "ben")), nil)
	}
}

// Attack 52a: a store that was restored from an older state: noticed at once by whoever
// has seen it since, and by all others if nobody has asked it for too long.
func restoredRevocations(t *testing.T, w *world) {
	r := w.revocations(t, nil)
	claims, other := w.issue(t, r, "ann"), w.issue(t, r, "ben")
	is(t, "alive", r.Check(t.Context(), claims), nil)
	snapshot := w.store.all(t)
	w.clock.advance(20 * time.Second) // the marker is renewed
	ok(t, r.Revoke(t.Context(), claims))
	later := w.store.all(t)

	w.store.restore(t, snapshot)
	is(t, "revoked", r.Check(t.Context(), claims), donjon.ErrRevoked)
	is(t, "another", r.Check(t.Context(), other), donjon.ErrRevoked)
	is(t, "anew", r.Check(t.Context(), w.issue(t, r, "ben")), nil)

	w.store.restore(t, later)
	w.clock.advance(2 * time.Hour)
	stranger := w.revocations(t, nil)
	old, err := donjon.NewRevocationRules(w.keys, donjon.RevocationRulesOptions{})
	ok(t, err)
	defer old.Close()
	is(t, "after two hours of silence, or so it seems", stranger.Check(t.Context(), other), donjon.ErrStoreUnavailable)
	time.Sleep(confirmed)
	is(t, "after two hours of silence", stranger.Check(t.Context(), other), donjon.ErrRevoked)
	is(t, "anew after that", stranger.Check(t.Context(), w.issue(t, stranger, "ben")), nil)
	patient := w.revocations(t, func(o *donjon.RevocationsOptions) { o.MaxSilence = 10 * time.Hour })
	alive := w.issue(t, patient, "cid")
	w.clock.advance(5 * time.Hour)
	is(t, "after five hours of ten", patient.Check(t.Context(), alive), nil)
}

func damagedRevocations(t *testing.T, w *world) {
	r := w.revocations(t, nil)
	claims := w.issue(t, r, "ann")
	before := w.store.all(t)
	ok(t, r.Revoke(t.Context(), claims))
	ok(t, r.RevokeSubject(t.Context(), "ann"))
	damaged := 0
	for key := range w.store.all(t) {
		if before[key] != nil {
			continue
		}
		w.store.restore(t, before)
		put(t, w.store, key, "damaged")
		is(t, "damaged "+key, r.Check(t.Context(), claims), donjon.ErrRevoked)
		damaged++
	}
	equal(t, "records", damaged, 2)
	for key, value := range before {
		w.store.restore(t, before)
		w.clock.advance(forgetfulness)
		replaced, err := w.store.Replace(t.Context(), key, value, []byte("damaged"), time.Hour)
		ok(t, err)
		equal(t, "replaced", replaced, true)
		is(t, "damaged "+key, r.Check(t.Context(), claims), donjon.ErrRevoked)
	}
}

func revocationsOfNoStore(t *testing.T, w *world) {
	r := w.revocations(t, nil)
	accepting := w.revocations(t, func(o *donjon.RevocationsOptions) { o.AcceptOnFailure = true })
	claims := w.issue(t, r, "ann")
	w.store.fails.Store(true)
	is(t, "refusing", r.Check(t.Context(), claims), donjon.ErrStoreUnavailable)
	is(t, "accepting", accepting.Check(t.Context(), claims), nil)
	is(t, "revoked", r.Revoke(t.Context(), claims), donjon.ErrStoreUnavailable)
	is(t, "logged out", accepting.RevokeSubject(t.Context(), "ann"), donjon.ErrStoreUnavailable)
	_, err := accepting.IssueSince(t.Context(), "ann")
	is(t, "issue", err, donjon.ErrStoreUnavailable)
	_, err = accepting.Publish(t.Context(), w.keys, time.Minute)
	is(t, "publish", err, donjon.ErrStoreUnavailable)
	w.store.fails.Store(false)
	canceled := expired(t)
	is(t, "canceled", r.Check(canceled, claims), context.Canceled)
	is(t, "canceled, accepting", accepting.Check(canceled, claims), context.Canceled)
	ok(t, r.Revoke(t.Context(), claims))
	is(t, "accepting again", accepting.Check(t.Context(), claims), donjon.ErrRevoked)
}

// With a cache, what was revoked elsewhere is accepted no longer than its bound says.
func rememberedRevocations(t *testing.T, w *world) {
	const bound = 200 * time.Millisecond
	far := w.revocations(t, nil)
	mine, err := donjon.NewRevocations(w.keys, &donjon.CachedRecords{Store: w.store, MaxAge: bound},
		donjon.RevocationsOptions{Clock: w.clock.now, Logger: quiet})
	ok(t, err)
	defer mine.Close()
	claims, other := w.issue(t, far, "ann"), w.issue(t, far, "ann")
	is(t, "alive", mine.Check(t.Context(), claims), nil)
	ok(t, far.Revoke(t.Context(), claims))
	revoked := time.Now()
	for mine.Check(t.Context(), claims) == nil {
		if time.Since(revoked) > bound+100*time.Millisecond {
			t.Fatal("accepted for longer than promised")
		}
		time.Sleep(time.Millisecond)
	}
	is(t, "another", mine.Check(t.Context(), other), nil)
	ok(t, mine.Revoke(t.Context(), other))
	is(t, "revoked by itself", mine.Check(t.Context(), other), donjon.ErrRevoked)
}

func offline(t *testing.T, w *world) {
	r := w.revocations(t, nil)
	public, err := w.keys.PublicJWKSAt(w.clock.now())
	ok(t, err)
	verifying, err := donjon.ParseKeyring(public)
	ok(t, err)
	defer verifying.Close()
	service := donjon.NewOfflineRevocations(func() *donjon.Keyring { return verifying },
		donjon.OfflineRevocationsOptions{Clock: w.clock.now})
	defer service.Close()
	publish := func() []byte {
		t.Helper()
		set, err := r.Publish(t.Context(), w.keys, time.Minute)
		ok(t, err)
		return set
	}
	check := func(what string, claims *donjon.Claims, want error) {
		t.Helper()
		is(t, what, service.Check(t.Context(), claims), want)
	}

	token, subject, family := w.issue(t, r, "ann"), w.issue(t, r, "ben"), w.tokens.issue(t, donjon.Grant{
		Subject: "cid", Claims: map[string]any{"family": "AAAAAAAAAAAAAAAAAAAAAA"}, RevokedSince: w.clock.now(),
	})
	key := w.issue(t, r, "dan")
	check("without a set", token, donjon.ErrRevocationSetStale)
	first := publish()
	ok(t, service.Update(first))
	for _, claims := range []*donjon.Claims{token, subject, family, key} {
		check(claims.Subject(), claims, nil)
	}
	ok(t, r.Revoke(t.Context(), token))
	ok(t, r.RevokeSubject(t.Context(), "ben"))
	ok(t, r.RevokeFamily(t.Context(), "cid", family.Family()))
	check("until the next set", token, nil)
	second := publish()
	ok(t, service.Update(second))
	check("the token", token, donjon.ErrRevoked)
	check("the subject", subject, donjon.ErrRevoked)
	check("the family", family, donjon.ErrRevoked)
	check("another", key, nil)
	check("logged in again", w.issue(t, r, "ben"), nil)
	ok(t, r.RevokeKey(t.Context(), key.KeyID()))
	ok(t, service.Update(publish()))
	check("the key", key, donjon.ErrRevoked)

	// Attack 52a: a set that is replayed, forged, or withheld.
	is(t, "replayed", service.Update(first), donjon.ErrStateStale)
	for i := range second {
		forged := append([]byte(nil), second...)
		forged[i] ^= 1
		if err := service.Update(forged); err == nil {
			t.Fatalf("byte %d is forged, and taken", i)
		}
	}
	check("after forgeries", key, donjon.ErrRevoked)
	info, err := service.Info()
	ok(t, err)
	equal(t, "revoked ids", info.IDs, 2)
	equal(t, "revoked subjects", info.Subjects, 1)
	equal(t, "revoked keys", info.Keys, 1)
	w.clock.advance(time.Minute)
	check("withheld", w.issue(t, r, "eve"), donjon.ErrRevocationSetStale)
	is(t, "too late", service.Update(first), donjon.ErrStateStale)

	// A store that begins anew goes on with the sequence.
	w.store.restore(t, nil)
	w.clock.advance(time.Second)
	ok(t, service.Update(publish()))
	check("from before", token, donjon.ErrRevoked)
	check("from before, and never revoked", key, donjon.ErrRevoked)
	check("from after", w.issue(t, r, "ann"), nil)

	confirmed := donjon.NewOfflineRevocations(func() *donjon.Keyring { return verifying }, donjon.OfflineRevocationsOptions{
		Clock: w.clock.now, Confirm: func(context.Context, *donjon.Claims) error { return nil },
	})
	defer confirmed.Close()
	claims := w.issue(t, r, "ann")
	ok(t, r.Revoke(t.Context(), claims))
	ok(t, confirmed.Update(publish()))
	is(t, "that is another's, says the store", confirmed.Check(t.Context(), claims), nil)
	is(t, "that is certain", confirmed.Check(t.Context(), key), donjon.ErrRevoked)
}

// Of sets that are published at once, no later one lacks what an earlier one has.
func publishedAtOnce(t *testing.T, w *world) {
	r := w.revocations(t, nil)
	type published struct {
		sequence uint64
		ids      int
	}
	var mu sync.Mutex
	var all []published
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 8 {
				if err := r.RevokeToken(t.Context(), "ann", fmt.Sprint(worker, i), w.clock.now().Add(time.Hour)); err != nil {
					t.Error(err)
				}
				set, err := r.Publish(t.Context(), w.keys, time.Minute)
				if err != nil {
					t.Error(err)
					continue
				}
				opened, err := donjon.OpenRevocationSetAt(set, w.keys, 0, w.clock.now())
				if err != nil {
					t.Error(err)
					continue
				}
				info, err := opened.Info()
				if err != nil {
					t.Error(err)
					continue
				}
				mu.Lock()
				all = append(all, published{info.Sequence, info.IDs})
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for _, a := range all {
		for _, b := range all {
			if a.sequence < b.sequence && a.ids > b.ids {
				t.Fatalf("sequence %d has %d ids, %d has %d", a.sequence, a.ids, b.sequence, b.ids)
			}
		}
	}
	seen := make(map[uint64]bool)
	for _, a := range all {
		if seen[a.sequence] {
			t.Errorf("sequence %d twice", a.sequence)
		}
		seen[a.sequence] = true
	}
}
