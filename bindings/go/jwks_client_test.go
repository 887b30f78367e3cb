package donjon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// provider is an identity provider that publishes keys and counts who asks.
type provider struct {
	keys    atomic.Pointer[Keyring]
	fetches atomic.Int32
	down    atomic.Bool
	answer  http.HandlerFunc // instead of the keys, if not nil
}

func newProvider(t testing.TB) *provider {
	p := new(provider)
	p.rotate(t)
	return p
}

func (p *provider) rotate(t testing.TB) {
	t.Helper()
	keys, err := GenerateKeyring(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.keys.Store(keys)
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	p.fetches.Add(1)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if p.down.Load() {
		return nil, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	if p.answer != nil {
		p.answer(w, r)
	} else {
		JWKSHandler(p.keys.Load).ServeHTTP(w, r)
	}
	return w.Result(), nil
}

func (p *provider) token(t testing.TB) string {
	t.Helper()
	issuer, err := NewIssuer(p.keys.Load(), IssuerOptions{Issuer: "https://idp", Audience: []string{"api"}})
	if err != nil {
		t.Fatal(err)
	}
	defer issuer.Close()
	token, err := issuer.Access(Grant{Subject: "u", TTL: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (p *provider) options() JWKSOptions {
	return JWKSOptions{
		URL:       "https://idp/.well-known/jwks.json",
		Transport: p,
		Verifier: VerifierOptions{
			Issuer: "https://idp", Audience: []string{"api"}, Type: AccessToken, Algorithms: []Algorithm{EdDSA},
		},
	}
}

func (p *provider) client(t testing.TB) *JWKSClient {
	t.Helper()
	client, err := NewJWKSClient(p.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func (p *provider) fetched(t testing.TB, want int32) {
	t.Helper()
	if got := p.fetches.Load(); got != want {
		t.Errorf("%d fetches, want %d", got, want)
	}
}

func expectError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
}

func TestClientFollowsARotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t)
		client := p.client(t)
		p.fetched(t, 0)
		for range 3 {
			claims, err := client.Verify(p.token(t))
			if err != nil || claims.Subject() != "u" {
				t.Fatal(claims, err)
			}
		}
		p.fetched(t, 1)

		p.rotate(t)
		_, err := client.Verify(p.token(t))
		expectError(t, err, ErrUnknownKey) // still cooling down
		p.fetched(t, 1)
		time.Sleep(31 * time.Second)
		_, err = client.Verify(p.token(t))
		expectError(t, err, nil)
		p.fetched(t, 2)
	})
}

func TestOldKeySetIsFetchedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t)
		client := p.client(t)
		token := p.token(t)
		_, err := client.Verify(token)
		expectError(t, err, nil)
		p.rotate(t) // withdraws the key
		time.Sleep(9 * time.Minute)
		_, err = client.Verify(token)
		expectError(t, err, nil)
		time.Sleep(2 * time.Minute)
		_, err = client.Verify(token)
		expectError(t, err, nil) // and has the set fetched
		synctest.Wait()
		_, err = client.Verify(token)
		expectError(t, err, ErrUnknownKey)
		p.fetched(t, 2)
	})
}

func TestNobodyWaitsForAYoungerKeySet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t)
		client, token := p.client(t), p.token(t)
		_, err := client.Verify(token)
		expectError(t, err, nil)
		p.answer = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		time.Sleep(11 * time.Minute)
		start := time.Now()
		for range 3 {
			_, err = client.Verify(token)
			expectError(t, err, nil)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("a key that is known was waited for, %v", waited)
		}
		time.Sleep(10 * time.Second) // the fetch has given up
		p.fetched(t, 2)
	})
}

// A wall clock that was wrong for a moment does not keep a key that the provider
// withdrew.
func TestKeySetAgesWhateverTheWallClockSays(t *testing.T) {
	for _, wrong := range []time.Duration{30 * 24 * time.Hour, -30 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			p := newProvider(t)
			client, token := p.client(t), p.token(t)
			var ahead time.Duration
			client.now = func() time.Time { return time.Now().Add(ahead) }
			_, err := client.Verify(token)
			expectError(t, err, nil)
			ahead = wrong
			for range 2 {
				_, err = client.Verify(token)
				if err == nil {
					t.Error("the token was verified by another clock than the wall's")
				}
			}
			ahead = 0
			p.rotate(t)
			time.Sleep(11 * time.Minute)
			_, _ = client.Verify(token)
			synctest.Wait()
			_, err = client.Verify(token)
			expectError(t, err, ErrUnknownKey)
			p.fetched(t, 2)
		})
	}
}

func TestLogHasTheHostAndNoMoreOfTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t)
		p.down.Store(true)
		var log bytes.Buffer
		opts := p.options()
		opts.URL = "https://hidden1:hidden2@idp.example/hidden3?key=hidden4"
		opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
		client, err := NewJWKSClient(opts)
		expectError(t, err, nil)
		defer client.Close()
		_, err = client.Verify(p.token(t))
		expectError(t, err, ErrKeysUnavailable)
		line := log.String()
		if strings.Contains(line, "hidden") ||
			!strings.Contains(line, `host=idp.example error.message="connection refused"`) {
			t.Errorf("logged %s", line)
		}
	})
}

// Attack 7: made-up key ids make no storm.
func TestUnknownKeysMakeNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, stranger := newProvider(t), newProvider(t)
		client := p.client(t)
		foreign := stranger.token(t)
		var group sync.WaitGroup
		for range 10_000 {
			group.Go(func() {
				_, err := client.Verify(foreign)
				expectError(t, err, ErrUnknownKey)
			})
		}
		group.Wait()
		p.fetched(t, 1)
	})
}

func TestConcurrentCallersShareOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t)
		p.answer = func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			JWKSHandler(p.keys.Load).ServeHTTP(w, r)
		}
		client, token := p.client(t), p.token(t)
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				_, err := client.Verify(token)
				expectError(t, err, nil)
			})
		}
		// One who does not want to wait does not end the fetch for the others.
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := client.VerifyContext(ctx, token)
		expectError(t, err, context.DeadlineExceeded)
		group.Wait()
		p.fetched(t, 1)
	})
}

func TestOutageLogsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t)
		client, token := p.client(t), p.token(t)
		_, err := client.Verify(token)
		expectError(t, err, nil)
		p.down.Store(true)
		for range 10 {
			time.Sleep(time.Hour)
			_, err = client.Verify(token)
			expectError(t, err, nil)
		}
		if p.fetches.Load() < 2 {
			t.Error("the key set was not asked for again")
		}
	})
}

func TestClientWithoutKeysVerifiesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t)
		p.down.Store(true)
		client, token := p.client(t), p.token(t)
		for range 100 {
			_, err := client.Verify(token)
			expectError(t, err, ErrKeysUnavailable)
		}
		p.fetched(t, 1)
		p.down.Store(false)
		time.Sleep(10 * time.Minute)
		_, err := client.Verify(token)
		expectError(t, err, nil)
	})
}

func TestClientClosedWithoutKeysIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t)
		p.down.Store(true)
		client, token := p.client(t), p.token(t)
		for range 2 { // the second hears from the kernel when to ask again
			_, err := client.Verify(token)
			expectError(t, err, ErrKeysUnavailable)
		}
		expectError(t, client.Close(), nil)
		_, err := client.Verify(token)
		expectError(t, err, ErrClosed)
	})
}

func TestBadAnswersAreNoKeySet(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"not found": http.NotFound,
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://idp/other.json", http.StatusFound)
		},
		"not JSON":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"no key set": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") },
		"too large": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"keys":[]}`, strings.Repeat(" ", 256<<10))
		},
		"a secret": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`)
		},
		"never": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t)
				p.answer = answer
				_, err := p.client(t).Verify(p.token(t))
				expectError(t, err, ErrKeysUnavailable)
				p.fetched(t, 1)
			})
		})
	}
}

func TestClientIsToldWhatToTrust(t *testing.T) {
	p := newProvider(t)
	for name, change := range map[string]func(*JWKSOptions){
		"zero":             func(o *JWKSOptions) { *o = JWKSOptions{} },
		"http":             func(o *JWKSOptions) { o.URL = "http://idp/jwks.json" },
		"file":             func(o *JWKSOptions) { o.URL, o.AllowHTTP = "file:///etc/jwks.json", true },
		"no host":          func(o *JWKSOptions) { o.URL = "https:///jwks.json" },
		"not a URL":        func(o *JWKSOptions) { o.URL = "https://idp\x00" },
		"no expectations":  func(o *JWKSOptions) { o.Verifier = VerifierOptions{} },
		"no algorithm":     func(o *JWKSOptions) { o.Verifier.Algorithms = []Algorithm{"none"} },
		"negative age":     func(o *JWKSOptions) { o.MaxAge = -time.Hour },
		"an HMAC":          func(o *JWKSOptions) { o.Verifier.Algorithms = []Algorithm{EdDSA, HS256} },
		"negative timeout": func(o *JWKSOptions) { o.Timeout = -1 },
		"no cooldown":      func(o *JWKSOptions) { o.Cooldown = time.Microsecond },
	} {
		opts := p.options()
		change(&opts)
		if _, err := NewJWKSClient(opts); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	opts := p.options()
	opts.URL, opts.AllowHTTP = "http://127.0.0.1/jwks.json", true
	client, err := NewJWKSClient(opts)
	expectError(t, err, nil)
	_, err = client.Verify(p.token(t))
	expectError(t, err, nil)
	expectError(t, client.Close(), nil)
	expectError(t, client.Close(), nil)
	_, err = client.Verify(p.token(t))
	expectError(t, err, ErrClosed)
}

func TestClientClosedDuringAFetchStaysClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t)
		client, token := p.client(t), p.token(t)
		p.answer = func(w http.ResponseWriter, r *http.Request) {
			_ = client.Close()
			JWKSHandler(p.keys.Load).ServeHTTP(w, r)
		}
		_, err := client.Verify(token)
		if err == nil {
			t.Error("verified with a client that is closed")
		}
		_, err = client.Verify(token)
		expectError(t, err, ErrClosed)
	})
}
