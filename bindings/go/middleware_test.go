package donjon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

func whoami(w http.ResponseWriter, r *http.Request) {
	claims, ok := donjon.FromContext(r.Context())
	if !ok {
		http.Error(w, "no claims", http.StatusTeapot)
		return
	}
	_, _ = io.WriteString(w, claims.Subject())
}

func serve(h http.Handler, authorization ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/me?secret=1", nil)
	r.Header["Authorization"] = authorization
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestGoodTokenReachesTheHandler(t *testing.T) {
	f := newFixture(t)
	h := donjon.RequireToken(f.verifier, nil)(http.HandlerFunc(whoami))
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER  "} {
		w := serve(h, scheme+f.access(t, "ann"))
		equal(t, "status", w.Code, http.StatusOK)
		equal(t, "subject", w.Body.String(), "ann")
	}
}

func TestOtherTokensGetTheSameBlandAnswer(t *testing.T) {
	f := newFixture(t)
	var log bytes.Buffer
	h := donjon.RequireToken(f.verifier, &donjon.RequireOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})(http.HandlerFunc(whoami))
	good := f.access(t, "ann")
	expired, err := f.issuer.Access(donjon.Grant{Subject: "ann", Now: at})
	ok(t, err)

	const noError, invalid = "Bearer", `Bearer error="invalid_token"`
	for name, c := range map[string]struct {
		authorization []string
		challenge     string
		reason        string // in the log
	}{
		"no header":         {nil, noError, `reason.message="donjon: no bearer token"`},
		"another scheme":    {[]string{"Basic dTpw"}, noError, `reason.message="donjon: no bearer token"`},
		"a scheme alone":    {[]string{"Bearer"}, invalid, "reason.code=malformed"},
		"two headers":       {[]string{"Bearer " + good, "Bearer " + good}, invalid, "reason.code=malformed"},
		"forged":            {[]string{"Bearer " + tampered(good)}, invalid, "reason.code=bad_signature"},
		"expired":           {[]string{"Bearer " + expired}, invalid, "reason.code=expired"},
		"two tokens":        {[]string{"Bearer " + good + " " + good}, invalid, "reason.code=unsupported"},
		"a megabyte":        {[]string{"Bearer " + strings.Repeat("a", 1<<20)}, invalid, "reason.code=too_large"},
		"space at its end":  {[]string{"Bearer " + good + " "}, invalid, "reason.code=malformed"},
		"no UTF-8 in it":    {[]string{"Bearer " + good + "\xff"}, invalid, "reason.code=malformed"},
		"comma-joined ones": {[]string{"Bearer " + good + ", Bearer " + good}, invalid, "reason.code=unsupported"},
	} {
		log.Reset()
		w := serve(h, c.authorization...)
		equal(t, name+": status", w.Code, http.StatusUnauthorized)
		equal(t, name+": challenge", w.Header().Get("WWW-Authenticate"), c.challenge)
		equal(t, name+": body", w.Body.String(), "Unauthorized\n")
		equal(t, name+": caching", w.Header().Get("Cache-Control"), "no-store")
		if !strings.Contains(log.String(), c.reason+" ") || strings.Contains(log.String(), good) || strings.Contains(log.String(), "secret") {
			t.Errorf("%s: logged %s", name, log.String())
		}
	}
}

func TestCheckRefusesAndFailsClosed(t *testing.T) {
	f := newFixture(t)
	for name, c := range map[string]struct {
		err    error
		status int
	}{
		"revoked":         {donjon.ErrRevoked, http.StatusUnauthorized},
		"store is down":   {errors.New("connection refused"), http.StatusInternalServerError},
		"no memory":       {donjon.ErrOutOfMemory, http.StatusServiceUnavailable},
		"nothing against": {nil, http.StatusOK},
	} {
		opts := &donjon.RequireOptions{Check: func(_ context.Context, claims *donjon.Claims) error {
			equal(t, "subject", claims.Subject(), "ann")
			return c.err
		}}
		w := serve(donjon.RequireToken(f.verifier, opts)(http.HandlerFunc(whoami)), "Bearer "+f.access(t, "ann"))
		equal(t, name, w.Code, c.status)
		if c.err != nil && strings.Contains(w.Body.String(), c.err.Error()) {
			t.Errorf("%s: the client is told %s", name, w.Body)
		}
	}
}

// The code is where it is even if the error was wrapped on its way.
func TestLogHasTheCodeOfAWrappedRefusal(t *testing.T) {
	f := newFixture(t)
	var log bytes.Buffer
	opts := &donjon.RequireOptions{
		Check:  func(context.Context, *donjon.Claims) error { return fmt.Errorf("session 7: %w", donjon.ErrRevoked) },
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}
	serve(donjon.RequireToken(f.verifier, opts)(http.HandlerFunc(whoami)), "Bearer "+f.access(t, "ann"))
	if !strings.Contains(log.String(), `reason.code=revoked reason.message="session 7: donjon: revoked: `) {
		t.Errorf("logged %s", log.String())
	}
}

func TestClosedVerifierServesNobody(t *testing.T) {
	f := newFixture(t)
	token := f.access(t, "ann")
	f.verifier.Close()
	w := serve(donjon.RequireToken(f.verifier, nil)(http.HandlerFunc(whoami)), "Bearer "+token)
	equal(t, "status", w.Code, http.StatusInternalServerError)
}

func TestContextWithoutClaimsHasNone(t *testing.T) {
	if claims, ok := donjon.FromContext(t.Context()); ok || claims != nil {
		t.Error(claims)
	}
}

func TestKeySetIsPublished(t *testing.T) {
	f := newFixture(t)
	keys := f.keys
	h := donjon.JWKSHandler(func() *donjon.Keyring { return keys })
	get := func(method string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/.well-known/jwks.json", nil))
		return w
	}
	w := get(http.MethodGet)
	equal(t, "status", w.Code, http.StatusOK)
	equal(t, "type", w.Header().Get("Content-Type"), "application/jwk-set+json")
	var set struct{ Keys []map[string]any }
	ok(t, json.Unmarshal(w.Body.Bytes(), &set))
	equal(t, "number of keys", len(set.Keys), 2) // the one that signs, and the next
	for _, key := range set.Keys {
		if _, private := key["d"]; private {
			t.Error("a private key is published")
		}
	}

	rotated, err := keys.Rotate(donjon.Rotation{NoOverlap: true})
	ok(t, err)
	before := w.Body.String()
	keys = rotated
	if get(http.MethodGet).Body.String() == before {
		t.Error("the rotated keys are not published")
	}

	equal(t, "status of POST", get(http.MethodPost).Code, http.StatusMethodNotAllowed)
	rotated.Close()
	equal(t, "status without keys", get(http.MethodGet).Code, http.StatusInternalServerError)
}
