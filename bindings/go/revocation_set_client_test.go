package donjon_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// publisher is an issuer that publishes what is revoked.
type publisher struct {
	fixture
	revocations *donjon.Revocations
	store       *failingRecords
	server      *httptest.Server
	override    atomic.Pointer[http.HandlerFunc]
	asked       atomic.Int32
	unchanged   atomic.Int32
}

func newPublisher(t *testing.T, opts donjon.RevocationSetOptions) *publisher {
	t.Helper()
	keys, err := donjon.GenerateKeyring(forSessions)
	ok(t, err)
	p := &publisher{fixture: fixtureOf(t, keys, donjon.EdDSA), store: new(failingRecords)}
	p.revocations, err = donjon.NewRevocations(keys, p.store, donjon.RevocationsOptions{Logger: slog.New(slog.DiscardHandler)})
	ok(t, err)
	t.Cleanup(func() { _ = p.revocations.Close() })
	handler := donjon.RevocationSetHandler(p.revocations, func() *donjon.Keyring { return keys }, opts)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		if override := p.override.Load(); override != nil {
			(*override)(w, r)
			return
		}
		counted := &statusWriter{ResponseWriter: w}
		handler.ServeHTTP(counted, r)
		if counted.status == http.StatusNotModified {
			p.unchanged.Add(1)
		}
	}))
	t.Cleanup(p.server.Close)
	return p
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// issue issues an access token that is good.
func (p *publisher) issue(t testing.TB, subject string) *donjon.Claims {
	t.Helper()
	since, err := p.revocations.IssueSince(t.Context(), subject)
	ok(t, err)
	token, err := p.issuer.Access(donjon.Grant{Subject: subject, RevokedSince: since})
	ok(t, err)
	claims, err := p.verifier.Verify(token)
	ok(t, err)
	return claims
}

func (p *publisher) client(t testing.TB, change func(*donjon.RevocationSetClientOptions)) *donjon.RevocationSetClient {
	t.Helper()
	public, err := p.keys.PublicJWKS()
	ok(t, err)
	keys, err := donjon.ParseKeyring(public)
	ok(t, err)
	opts := donjon.RevocationSetClientOptions{
		URL: p.server.URL + "/revoked?secret", AllowHTTP: true, Interval: 10 * time.Millisecond,
	}
	if change != nil {
		change(&opts)
	}
	client, err := donjon.NewRevocationSetClient(func() *donjon.Keyring { return keys }, opts)
	ok(t, err)
	t.Cleanup(func() {
		_ = client.Close()
		_ = keys.Close()
	})
	return client
}

// eventually waits until what is asked is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for range 1000 {
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("not in time: %s", what)
}

func TestRevocationSetClientRefusesWhatIsRevokedElsewhere(t *testing.T) {
	p := newPublisher(t, donjon.RevocationSetOptions{MaxAge: time.Nanosecond})
	claims, other := p.issue(t, "ann"), p.issue(t, "ben")
	client := p.client(t, nil)
	ok(t, client.Check(t.Context(), claims)) // which waits for the first set
	ok(t, p.revocations.Revoke(t.Context(), claims))
	eventually(t, "refused", func() bool { return errors.Is(client.Check(t.Context(), claims), donjon.ErrRevoked) })
	ok(t, client.Check(t.Context(), other))

	guarded := donjon.RequireToken(p.verifier, &donjon.RequireOptions{Check: client.Check})
	if guarded == nil {
		t.Error("no middleware")
	}
	ok(t, client.Close())
	if err := client.Check(t.Context(), other); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	time.Sleep(200 * time.Millisecond) // what was under way arrives
	asked := p.asked.Load()
	time.Sleep(30 * time.Millisecond)
	equal(t, "asked after it was closed", p.asked.Load(), asked)
}

func TestRevocationSetsAreVerifiedByPublishedKeys(t *testing.T) {
	p := newPublisher(t, donjon.RevocationSetOptions{MaxAge: time.Nanosecond})
	keys := httptest.NewServer(donjon.JWKSHandler(func() *donjon.Keyring { return p.keys }))
	defer keys.Close()
	issuer, err := donjon.NewJWKSClient(donjon.JWKSOptions{
		URL: keys.URL, AllowHTTP: true, Verifier: expecting(donjon.AccessToken, donjon.EdDSA),
	})
	ok(t, err)
	defer issuer.Close()
	client, err := donjon.NewRevocationSetClient(issuer.Keyring, donjon.RevocationSetClientOptions{
		URL: p.server.URL, AllowHTTP: true, Interval: 10 * time.Millisecond,
	})
	ok(t, err)
	defer client.Close()
	claims := p.issue(t, "ann")
	ok(t, client.Check(t.Context(), claims))
	ok(t, p.revocations.Revoke(t.Context(), claims))
	eventually(t, "refused", func() bool { return errors.Is(client.Check(t.Context(), claims), donjon.ErrRevoked) })
	ok(t, issuer.Close())
	if issuer.Keyring() != nil {
		t.Error("a closed client has keys")
	}
}

func TestRevocationSetIsPublishedOnceForAll(t *testing.T) {
	p := newPublisher(t, donjon.RevocationSetOptions{MaxAge: time.Hour})
	var group sync.WaitGroup
	tags := make(chan string, 64)
	for range 64 {
		group.Go(func() {
			response, err := http.Get(p.server.URL)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			equal(t, "type", response.Header.Get("Content-Type"), "application/octet-stream")
			equal(t, "cache", response.Header.Get("Cache-Control"), "private, max-age=3600")
			tags <- response.Header.Get("ETag")
		})
	}
	group.Wait()
	close(tags)
	first := <-tags
	for tag := range tags {
		equal(t, "set", tag, first)
	}
	client := p.client(t, nil)
	eventually(t, "not sent twice", func() bool { return p.unchanged.Load() > 2 })
	ok(t, client.Check(t.Context(), p.issue(t, "ann")))

	response, err := http.Post(p.server.URL, "text/plain", nil)
	ok(t, err)
	equal(t, "POST", response.StatusCode, http.StatusMethodNotAllowed)
	ok(t, response.Body.Close())
}

func TestRevocationSetClientFailsClosed(t *testing.T) {
	p := newPublisher(t, donjon.RevocationSetOptions{ValidFor: time.Second, MaxAge: time.Nanosecond})
	claims := p.issue(t, "ann")
	var log lockedBuffer
	client := p.client(t, func(o *donjon.RevocationSetClientOptions) {
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		o.MaxBytes = 1 << 16
	})
	ok(t, client.Check(t.Context(), claims))
	answers := map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"garbage":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("DJR1 garbage")) },
		"too much": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<17)) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"unchanged, always": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
	}
	for name, answer := range answers {
		p.override.Store(&answer)
		eventually(t, name, func() bool { return errors.Is(client.Check(t.Context(), claims), donjon.ErrRevocationSetStale) })
		p.override.Store(nil)
		eventually(t, "again after "+name, func() bool { return client.Check(t.Context(), claims) == nil })
	}
	p.store.fails.Store(true)
	eventually(t, "the store is down", func() bool { return errors.Is(client.Check(t.Context(), claims), donjon.ErrRevocationSetStale) })
	response, err := http.Get(p.server.URL)
	ok(t, err)
	equal(t, "status without the store", response.StatusCode, http.StatusServiceUnavailable)
	ok(t, response.Body.Close())
	p.store.fails.Store(false)
	eventually(t, "again", func() bool { return client.Check(t.Context(), claims) == nil })
	if text := log.String(); strings.Contains(text, "secret") || !strings.Contains(text, "host=127.0.0.1") {
		t.Errorf("logged %.300s", text)
	}

	// Who asks before there was a set waits while it is fetched, and no longer.
	release := make(chan struct{})
	slow := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })
	p.override.Store(&slow)
	late := p.client(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := late.Check(ctx, claims); !errors.Is(err, donjon.ErrRevocationSetStale) {
		t.Errorf("before the first set: %v", err)
	}
	close(release)
	p.server.Close()
	lonely := p.client(t, nil)
	if err := lonely.Check(t.Context(), claims); !errors.Is(err, donjon.ErrRevocationSetStale) {
		t.Errorf("without a set: %v", err)
	}
	for _, opts := range []donjon.RevocationSetClientOptions{
		{}, {URL: "http://127.0.0.1/"}, {URL: "https:///"}, {URL: "https://a/", Interval: -1}, {URL: "https://a/", MaxBytes: -1},
	} {
		if _, err := donjon.NewRevocationSetClient(nil, opts); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%+v: %v", opts.URL, err)
		}
	}
}

// Sets that follow one another under traffic refuse nobody, and are released.
func TestSetsReplaceOneAnotherUnderTraffic(t *testing.T) {
	p := newPublisher(t, donjon.RevocationSetOptions{})
	claims := p.issue(t, "ann")
	service := donjon.NewOfflineRevocations(func() *donjon.Keyring { return p.keys }, donjon.OfflineRevocationsOptions{})
	defer service.Close()
	update := func() {
		set, err := p.revocations.Publish(t.Context(), p.keys, time.Minute)
		ok(t, err)
		ok(t, service.Update(set))
	}
	update()
	done := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := service.Check(t.Context(), claims); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 50 {
		update()
	}
	close(done)
	group.Wait()
}

func TestDecidingOfflineAllocatesNothing(t *testing.T) {
	p := newPublisher(t, donjon.RevocationSetOptions{})
	claims := p.issue(t, "ann")
	set, err := p.revocations.Publish(t.Context(), p.keys, time.Minute)
	ok(t, err)
	service := donjon.NewOfflineRevocations(func() *donjon.Keyring { return p.keys }, donjon.OfflineRevocationsOptions{})
	defer service.Close()
	ok(t, service.Update(set))
	if n := testing.AllocsPerRun(100, func() { _ = service.Check(t.Context(), claims) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
