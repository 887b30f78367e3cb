package donjon_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

var forSessions = map[donjon.Purpose]donjon.Algorithm{
	donjon.PurposeToken: donjon.EdDSA, donjon.PurposeStateBinding: donjon.HS256,
	donjon.PurposeDevice: donjon.HS256, donjon.PurposeCSRF: donjon.HS256,
}

// failingRecords is a store that fails when told to.
type failingRecords struct {
	donjon.MemoryRecords
	fails atomic.Bool
	says  error // if it fails; if nil, errDown
}

func (s *failingRecords) GetMany(ctx context.Context, keys []string) ([][]byte, error) {
	if s.fails.Load() {
		return nil, cmp.Or(s.says, errDown)
	}
	return s.MemoryRecords.GetMany(ctx, keys)
}

func (s *failingRecords) Replace(ctx context.Context, key string, before, after []byte, keep time.Duration) (bool, error) {
	if s.fails.Load() {
		return false, cmp.Or(s.says, errDown)
	}
	return s.MemoryRecords.Replace(ctx, key, before, after, keep)
}

// site is a service with sessions.
type site struct {
	t        testing.TB
	keys     *donjon.Keyring
	store    *failingRecords
	manager  *donjon.SessionManager
	log      bytes.Buffer
	handler  http.Handler
	optional http.Handler
	cookies  map[string]string // of the browser
}

func newSite(t testing.TB, opts donjon.SessionsOptions) *site {
	t.Helper()
	keys, err := donjon.GenerateKeyring(forSessions)
	ok(t, err)
	t.Cleanup(func() { _ = keys.Close() })
	s := &site{t: t, keys: keys, store: new(failingRecords), cookies: make(map[string]string)}
	s.manager, err = donjon.NewSessionManager(keys, s.store, donjon.SessionManagerOptions{
		Sessions: opts, Logger: slog.New(slog.DiscardHandler),
	})
	ok(t, err)
	t.Cleanup(func() { _ = s.manager.Close() })
	required := &donjon.RequireSessionOptions{Logger: slog.New(slog.NewTextHandler(&s.log, nil))}
	optional := *required
	optional.Optional = true
	greet := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if session, is := donjon.SessionFromContext(r.Context()); is {
			fmt.Fprint(w, "hello ", session.Subject)
			return
		}
		fmt.Fprint(w, "hello")
	})
	mux := http.NewServeMux()
	mux.Handle("/", donjon.RequireSession(s.manager, required)(greet))
	mux.Handle("/auth/", http.StripPrefix("/auth", donjon.SessionHandlers(s.manager, required)))
	s.handler = mux
	s.optional = donjon.RequireSession(s.manager, &optional)(greet)
	return s
}

// logIn makes the browser one of a user's.
func (s *site) logIn(subject string) *donjon.LoggedIn {
	s.t.Helper()
	in, err := s.manager.LogIn(s.t.Context(), donjon.NewSession{
		Subject: subject, Client: donjon.SessionClient{Address: "192.0.2.1", UserAgent: "test"},
	}, "")
	ok(s.t, err)
	w := httptest.NewRecorder()
	ok(s.t, s.manager.Sessions().SetCookies(w.Header(), in.ID))
	s.keep(w)
	return in
}

// keep keeps the cookies of a response as a browser does.
func (s *site) keep(w *httptest.ResponseRecorder) {
	for _, cookie := range w.Result().Cookies() {
		s.cookies[cookie.Name] = cookie.Value
		if cookie.MaxAge < 0 {
			delete(s.cookies, cookie.Name)
		}
	}
}

const (
	sessionCookie = "__Host-session"
	csrfCookie    = "__Host-session-csrf"
)

// request is what the browser sends from the site's own pages.
func (s *site) request(method, path string) *http.Request {
	r := httptest.NewRequest(method, "https://www.example.com"+path, nil)
	r.Header.Set("User-Agent", "test")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range s.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if method != http.MethodGet {
		r.Header.Set(donjon.CSRFHeader, s.cookies[csrfCookie])
	}
	return r
}

func (s *site) answer(handler http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	s.keep(w)
	return w
}

func (s *site) ask(method, path string) *httptest.ResponseRecorder {
	return s.answer(s.handler, s.request(method, path))
}

func TestRequireSessionServesWhoIsLoggedIn(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{})
	w := s.ask("GET", "/")
	equal(t, "without a session", w.Code, http.StatusUnauthorized)
	equal(t, "challenge", w.Header().Get("WWW-Authenticate"), "APIKey")
	equal(t, "vary", w.Header().Get("Vary"), "Cookie")
	equal(t, "cache", w.Header().Get("Cache-Control"), "no-store")
	equal(t, "cookies", len(w.Result().Cookies()), 0)
	equal(t, "optional, without", s.answer(s.optional, s.request("GET", "/")).Body.String(), "hello")

	in := s.logIn("ann")
	equal(t, "the browser's id", s.cookies[sessionCookie], in.ID)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"} {
		w := s.ask(method, "/")
		equal(t, method, w.Code, http.StatusOK)
		if method != "HEAD" {
			equal(t, method, w.Body.String(), "hello ann")
		}
	}
	equal(t, "optional, with", s.answer(s.optional, s.request("GET", "/")).Body.String(), "hello ann")

	ok(t, s.manager.LogOut(t.Context(), in.ID))
	stale := s.request("GET", "/")
	w = s.answer(s.optional, stale)
	equal(t, "optional, logged out", w.Body.String(), "hello")
	equal(t, "cookies of the browser", len(s.cookies), 0)
	w = s.answer(s.handler, stale)
	equal(t, "logged out", w.Code, http.StatusUnauthorized)
	equal(t, "cookies that are cleared", len(w.Result().Cookies()), 2)
	if !strings.Contains(s.log.String(), "reason.reason=unknown") {
		t.Errorf("logged %s", s.log.String())
	}
	if strings.Contains(s.log.String(), in.ID) {
		t.Error("the id is in the log")
	}
}

func TestCookiesAreWrittenAsTheyShouldBe(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{})
	in := s.logIn("ann")
	w := httptest.NewRecorder()
	ok(t, s.manager.Sessions().SetCookies(w.Header(), in.ID))
	lines := w.Header().Values("Set-Cookie")
	equal(t, "the session's", lines[0], sessionCookie+"="+in.ID+"; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax")
	token, rest, _ := strings.Cut(lines[1], "; ")
	equal(t, "the token's", rest, "Path=/; Max-Age=86400; Secure; SameSite=Lax")
	equal(t, "length of the token", len(token), len(csrfCookie)+1+64)

	for _, header := range []string{
		sessionCookie + "=" + in.ID + "; " + sessionCookie + "=" + in.ID, sessionCookie + "=a", sessionCookie + "=",
		sessionCookie + "=\"" + in.ID + "\"",
	} {
		r := s.request("GET", "/")
		r.Header.Set("Cookie", header)
		equal(t, header, s.answer(s.handler, r).Code, http.StatusUnauthorized)
	}
	r := s.request("GET", "/")
	r.Header["Cookie"] = []string{sessionCookie + "=" + in.ID, sessionCookie + "=" + in.ID}
	equal(t, "in two lines", s.answer(s.handler, r).Code, http.StatusUnauthorized)
	r = s.request("GET", "/")
	r.Header.Set("Cookie", "a=b; "+strings.Repeat("c", 1<<15)+"; "+sessionCookie+"="+in.ID)
	equal(t, "a long header", s.answer(s.handler, r).Code, http.StatusUnauthorized)
	equal(t, "a long header, optional", s.answer(s.optional, r).Body.String(), "hello")

	w = httptest.NewRecorder()
	w.Header().Add("Set-Cookie", "__Host-session-other=1")
	w.Header().Set("Cache-Control", "public")
	ok(t, s.manager.Sessions().ClearCookies(w.Header()))
	ok(t, s.manager.Sessions().SetCookies(w.Header(), in.ID))
	lines = w.Header().Values("Set-Cookie")
	equal(t, "lines", len(lines), 3)
	equal(t, "another's", lines[0], "__Host-session-other=1")
	equal(t, "the last one", strings.HasPrefix(lines[1], sessionCookie+"="+in.ID), true)
	equal(t, "kept by caches", w.Header().Get("Cache-Control"), "no-store")
}

// A session of nobody, which anybody gets, opens nothing that is behind a log-in.
func TestSessionsOfNobodyAreNoneUnlessAskedFor(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{})
	before, err := s.manager.BeginAnonymous(t.Context(), donjon.NewSession{Client: donjon.SessionClient{Address: "192.0.2.1", UserAgent: "test"}})
	ok(t, err)
	w := httptest.NewRecorder()
	ok(t, s.manager.Sessions().SetCookies(w.Header(), before.ID))
	s.keep(w)
	w = s.ask("GET", "/")
	equal(t, "required", w.Code, http.StatusUnauthorized)
	equal(t, "cookies that are cleared", len(w.Result().Cookies()), 0)
	equal(t, "its sessions", s.ask("GET", "/auth/sessions").Code, http.StatusUnauthorized)
	shown := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, is := donjon.SessionFromContext(r.Context())
		fmt.Fprint(w, is, session != nil && session.Subject == "")
	})
	for name, one := range map[string]struct {
		opts donjon.RequireSessionOptions
		want string
	}{
		"optional":                {donjon.RequireSessionOptions{Optional: true}, "false false"},
		"anonymous":               {donjon.RequireSessionOptions{Anonymous: true}, "true true"},
		"optional, and anonymous": {donjon.RequireSessionOptions{Optional: true, Anonymous: true}, "true true"},
	} {
		handler := donjon.RequireSession(s.manager, &one.opts)(shown)
		equal(t, name, s.answer(handler, s.request("GET", "/")).Body.String(), one.want)
		forged := s.request("POST", "/")
		forged.Header.Del(donjon.CSRFHeader)
		equal(t, name+", without a token", s.answer(handler, forged).Code, http.StatusForbidden)
	}
	// One manager's session is not another's.
	other := newSite(t, donjon.SessionsOptions{Cookie: donjon.SessionCookie{Name: "__Host-other"}})
	inner := donjon.RequireSession(other.manager, &donjon.RequireSessionOptions{Optional: true})(shown)
	nested := donjon.RequireSession(s.manager, &donjon.RequireSessionOptions{Anonymous: true})(inner)
	equal(t, "nested", s.answer(nested, s.request("GET", "/")).Body.String(), "false false")

	equal(t, "log-out", s.ask("POST", "/auth/logout").Code, http.StatusNoContent)
	_, err = s.manager.Check(t.Context(), before.ID, donjon.SessionClient{Address: "192.0.2.1", UserAgent: "test"})
	if !errors.Is(err, donjon.ErrInvalidSession) {
		t.Errorf("after log-out: %v", err)
	}
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{TrustedOrigins: []string{"https://app.example.com"}})
	s.logIn("ann")
	with := func(method string, change func(http.Header)) int {
		r := s.request(method, "/")
		change(r.Header)
		return s.answer(s.handler, r).Code
	}
	for name, change := range map[string]func(http.Header){
		"no token":        func(h http.Header) { h.Del(donjon.CSRFHeader) },
		"another's token": func(h http.Header) { h.Set(donjon.CSRFHeader, strings.Repeat("A", 64)) },
		"another site":    func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"a sister site":   func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
		"two sites":       func(h http.Header) { h.Add("Sec-Fetch-Site", "cross-site") },
		"an old browser": func(h http.Header) {
			h.Del("Sec-Fetch-Site")
			h.Set("Origin", "https://evil.example")
		},
		"no origin at all": func(h http.Header) {
			h.Del("Sec-Fetch-Site")
			h.Set("Origin", "null")
		},
		"trusted, without a token": func(h http.Header) {
			h.Set("Sec-Fetch-Site", "cross-site")
			h.Set("Origin", "https://app.example.com")
			h.Del(donjon.CSRFHeader)
		},
	} {
		equal(t, name, with("POST", change), http.StatusForbidden)
		if strings.Contains(name, "token") {
			continue
		}
		equal(t, name+", to read", with("GET", change), http.StatusOK)
		r := httptest.NewRequest("POST", "https://www.example.com/log-in", nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		change(r.Header)
		equal(t, name+", without a session", s.answer(s.optional, r).Code, http.StatusForbidden)
		r = s.request("GET", "/socket")
		r.Header.Set("Upgrade", "h2c, WebSocket")
		change(r.Header)
		equal(t, name+", a WebSocket", s.answer(s.handler, r).Code, http.StatusForbidden)
	}
	equal(t, "trusted", with("POST", func(h http.Header) {
		h.Set("Sec-Fetch-Site", "cross-site")
		h.Set("Origin", "https://app.example.com")
	}), http.StatusOK)
	r := s.request("GET", "/socket")
	r.Header.Set("Upgrade", "websocket")
	equal(t, "a WebSocket of its own", s.answer(s.handler, r).Code, http.StatusOK)

	stale := s.request("POST", "/log-in")
	stale.Header.Del(donjon.CSRFHeader)
	ok(t, s.manager.LogOutEverywhere(t.Context(), "ann"))
	equal(t, "log-in with a dead session", s.answer(s.optional, stale).Code, http.StatusOK)
}

func TestSessionsThatNeedMoreAreKept(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{OnAddressChange: donjon.StepUpOnChange})
	in := s.logIn("ann")
	r := s.request("GET", "/")
	r.RemoteAddr = "198.51.100.9:1234"
	w := s.answer(s.handler, r)
	equal(t, "status", w.Code, http.StatusUnauthorized)
	equal(t, "challenge", w.Header().Get("WWW-Authenticate"), `APIKey error="insufficient_user_authentication"`)
	equal(t, "cookies that are cleared", len(w.Result().Cookies()), 0)
	equal(t, "at home", s.ask("GET", "/").Code, http.StatusOK)

	// Where the user authenticates again, it is known who he has to be.
	again := func(opts donjon.RequireSessionOptions, change func(http.Header)) *httptest.ResponseRecorder {
		r := s.request("POST", "/again")
		r.RemoteAddr = "198.51.100.9:1234"
		change(r.Header)
		return s.answer(donjon.RequireSession(s.manager, &opts)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			session, is := donjon.SessionFromContext(r.Context())
			if !is {
				fmt.Fprint(w, "nobody")
				return
			}
			fmt.Fprint(w, session.Subject)
		})), r)
	}
	as := func(http.Header) {}
	equal(t, "again", again(donjon.RequireSessionOptions{StepUp: true}, as).Body.String(), "ann")
	equal(t, "required", again(donjon.RequireSessionOptions{}, as).Code, http.StatusUnauthorized)
	equal(t, "optional", again(donjon.RequireSessionOptions{Optional: true}, as).Body.String(), "nobody")
	for _, opts := range []donjon.RequireSessionOptions{{StepUp: true}, {Optional: true}, {}} {
		w := again(opts, func(h http.Header) { h.Del(donjon.CSRFHeader) })
		equal(t, "again, without a token", w.Code, http.StatusForbidden)
	}

	// He may log out without.
	elsewhere := func(path string) *http.Request {
		r := s.request("POST", path)
		r.RemoteAddr = "198.51.100.9:1234"
		return r
	}
	equal(t, "others", s.answer(s.handler, elsewhere("/auth/logout/others")).Code, http.StatusUnauthorized)
	forged := elsewhere("/auth/logout")
	forged.Header.Del(donjon.CSRFHeader)
	equal(t, "log-out without a token", s.answer(s.handler, forged).Code, http.StatusForbidden)
	equal(t, "log-out", s.answer(s.handler, elsewhere("/auth/logout")).Code, http.StatusNoContent)
	_, err := s.manager.Check(t.Context(), in.ID, donjon.SessionClient{Address: "192.0.2.1", UserAgent: "test"})
	if !errors.Is(err, donjon.ErrInvalidSession) {
		t.Errorf("after log-out: %v", err)
	}
}

// What a store says that is one of the kernel's refusals decides nothing.
func TestAStoreThatRefusesIsAStoreThatFails(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{})
	in := s.logIn("ann")
	for _, says := range []error{donjon.ErrInvalidSession, fmt.Errorf("elsewhere: %w", donjon.ErrRevoked), donjon.ErrExpired} {
		s.store.says = says
		s.store.fails.Store(true)
		client := donjon.SessionClient{Address: "192.0.2.1", UserAgent: "test"}
		_, checked := s.manager.Check(t.Context(), in.ID, client)
		for what, err := range map[string]error{
			"check": checked, "log-out": s.manager.LogOut(t.Context(), in.ID), "revocation": s.manager.Revoke(t.Context(), "ann", in.Session.Handle),
		} {
			if !errors.Is(err, donjon.ErrStoreUnavailable) || errors.Is(err, says) {
				t.Errorf("%s, of a store that says %v: %v", what, says, err)
			}
		}
		w := s.ask("GET", "/")
		equal(t, "status", w.Code, http.StatusServiceUnavailable)
		equal(t, "cookies", len(w.Result().Cookies()), 0)
		s.store.fails.Store(false)
		_, err := s.manager.Check(t.Context(), in.ID, client)
		ok(t, err)
	}
}

func TestNobodyIsLetInWithoutTheStore(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{})
	s.logIn("ann")
	s.store.fails.Store(true)
	for name, handler := range map[string]http.Handler{"required": s.handler, "optional": s.optional} {
		w := s.answer(handler, s.request("GET", "/"))
		equal(t, name, w.Code, http.StatusServiceUnavailable)
	}
	for _, path := range []string{"/auth/logout", "/auth/logout/everywhere"} {
		equal(t, path, s.ask("POST", path).Code, http.StatusServiceUnavailable)
	}
	equal(t, "cookies of the browser", len(s.cookies), 2)
	logged := s.log.Len()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	s.answer(s.handler, s.request("GET", "/").WithContext(gone))
	equal(t, "logged of a client that has gone", s.log.Len(), logged)
	s.store.fails.Store(false)
	equal(t, "again", s.ask("GET", "/").Code, http.StatusOK)
	if strings.Contains(s.ask("GET", "/").Body.String(), "down") {
		t.Error("the client is told")
	}
}

func TestUsersLookAfterTheirSessions(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{})
	phone := s.logIn("ann")
	var mine *donjon.LoggedIn
	list := func() []string {
		t.Helper()
		w := s.ask("GET", "/auth/sessions")
		equal(t, "status", w.Code, http.StatusOK)
		equal(t, "type", w.Header().Get("Content-Type"), "application/json")
		equal(t, "cache", w.Header().Get("Cache-Control"), "no-store")
		var body struct {
			Sessions []map[string]any `json:"sessions"`
		}
		ok(t, json.Unmarshal(w.Body.Bytes(), &body))
		var handles []string
		for _, session := range body.Sessions {
			equal(t, "current", session["current"], session["handle"] == mine.Session.Handle)
			names := []string{}
			for name := range session {
				names = append(names, name)
			}
			slices.Sort(names)
			equal(t, "members", fmt.Sprint(names), "[created_ms current expires_ms handle kind label network seen_ms]")
			handles = append(handles, session["handle"].(string))
		}
		if strings.Contains(w.Body.String(), mine.ID) {
			t.Error("the list has the id")
		}
		return handles
	}
	mine = s.logIn("ann")
	ben, err := s.manager.LogIn(t.Context(), donjon.NewSession{Subject: "ben"}, "")
	ok(t, err)
	equal(t, "sessions", fmt.Sprint(list()), fmt.Sprint([]string{phone.Session.Handle, mine.Session.Handle}))
	equal(t, "unknown", s.ask("DELETE", "/auth/sessions/nobody").Code, http.StatusNotFound)
	equal(t, "somebody else's", s.ask("DELETE", "/auth/sessions/"+ben.Session.Handle).Code, http.StatusNotFound)
	equal(t, "one", s.ask("DELETE", "/auth/sessions/"+phone.Session.Handle).Code, http.StatusNoContent)
	equal(t, "sessions", fmt.Sprint(list()), fmt.Sprint([]string{mine.Session.Handle}))

	_, err = s.manager.LogIn(t.Context(), donjon.NewSession{Subject: "ann"}, "")
	ok(t, err)
	equal(t, "others", s.ask("POST", "/auth/logout/others").Code, http.StatusNoContent)
	equal(t, "sessions", fmt.Sprint(list()), fmt.Sprint([]string{mine.Session.Handle}))

	w := s.ask("GET", "/auth/csrf")
	var body map[string]string
	ok(t, json.Unmarshal(w.Body.Bytes(), &body))
	equal(t, "token", body["csrf_token"], s.cookies[csrfCookie])
	equal(t, "token in the header", w.Header().Get(donjon.CSRFHeader), s.cookies[csrfCookie])

	equal(t, "log-out without a token", s.answer(s.handler, func() *http.Request {
		r := s.request("POST", "/auth/logout")
		r.Header.Del(donjon.CSRFHeader)
		return r
	}()).Code, http.StatusForbidden)
	stale := s.request("GET", "/")
	equal(t, "log-out", s.ask("POST", "/auth/logout").Code, http.StatusNoContent)
	equal(t, "cookies of the browser", len(s.cookies), 0)
	equal(t, "after log-out", s.answer(s.handler, stale).Code, http.StatusUnauthorized)
	equal(t, "log-out of nobody", s.ask("POST", "/auth/logout").Code, http.StatusNoContent)
	equal(t, "log-out of nobody, by another site", s.answer(s.handler, func() *http.Request {
		r := s.request("POST", "/auth/logout")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		return r
	}()).Code, http.StatusForbidden)
	ended := s.answer(s.handler, func() *http.Request {
		r := s.request("POST", "/auth/logout")
		r.Header.Set("Cookie", stale.Header.Get("Cookie"))
		return r
	}())
	equal(t, "log-out again", ended.Code, http.StatusNoContent)
	equal(t, "cookies that are cleared", len(ended.Result().Cookies()), 2)

	mine = s.logIn("ann")
	equal(t, "the current one", s.ask("DELETE", "/auth/sessions/"+mine.Session.Handle).Code, http.StatusNoContent)
	equal(t, "cookies of the browser", len(s.cookies), 0)
	mine = s.logIn("ann")
	equal(t, "the current one, by its id", s.ask("DELETE", "/auth/sessions/"+mine.ID).Code, http.StatusNoContent)
	equal(t, "cookies of the browser", len(s.cookies), 0)
	mine, phone = s.logIn("ann"), s.logIn("ann")
	equal(t, "everywhere", s.ask("POST", "/auth/logout/everywhere").Code, http.StatusNoContent)
	for _, id := range []string{mine.ID, phone.ID} {
		if _, err := s.manager.Check(t.Context(), id, donjon.SessionClient{}); err == nil {
			t.Error("not logged out")
		}
	}

	before, err := s.manager.BeginAnonymous(t.Context(), donjon.NewSession{Client: donjon.SessionClient{Address: "192.0.2.1", UserAgent: "test"}})
	ok(t, err)
	recorded := httptest.NewRecorder()
	ok(t, s.manager.Sessions().SetCookies(recorded.Header(), before.ID))
	s.keep(recorded)
	mine = before
	s.handler = http.StripPrefix("/auth", donjon.SessionHandlers(s.manager, &donjon.RequireSessionOptions{Anonymous: true}))
	equal(t, "nobody's sessions", fmt.Sprint(list()), fmt.Sprint([]string{before.Session.Handle}))
	equal(t, "nobody's others", s.ask("POST", "/auth/logout/others").Code, http.StatusNoContent)
	equal(t, "nobody, everywhere", s.ask("POST", "/auth/logout/everywhere").Code, http.StatusNoContent)
	equal(t, "cookies of the browser", len(s.cookies), 0)
}

// Whoever logs out and closes the window is out.
func TestWhatIsToBeEndedIsEndedThoughTheClientHasGone(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, request := range []string{
		"POST /auth/logout", "POST /auth/logout/everywhere", "DELETE /auth/sessions/", "POST /auth/logout/others",
	} {
		s := newSite(t, donjon.SessionsOptions{})
		ended := s.logIn("ann")
		if strings.HasSuffix(request, "others") {
			s.logIn("ann")
		}
		if strings.HasPrefix(request, "DELETE") {
			request += ended.Session.Handle
		}
		method, path, _ := strings.Cut(request, " ")
		s.answer(s.handler, s.request(method, path).WithContext(gone))
		_, err := s.manager.Check(t.Context(), ended.ID, donjon.SessionClient{Address: "192.0.2.1", UserAgent: "test"})
		if !errors.Is(err, donjon.ErrInvalidSession) {
			t.Errorf("%s: %v", request, err)
		}
	}

	s := newSite(t, donjon.SessionsOptions{})
	f := fixtureOf(t, s.keys, donjon.EdDSA)
	refresh, err := donjon.NewVerifier(s.keys, expecting(donjon.RefreshToken, donjon.EdDSA))
	ok(t, err)
	defer refresh.Close()
	pair, err := s.manager.BeginTokens(t.Context(), f.issuer, donjon.NewSession{Subject: "ann"}, donjon.Grant{})
	ok(t, err)
	r := httptest.NewRequest("POST", "/logout", strings.NewReader(fmt.Sprintf(`{"refresh_token":%q}`, pair.Refresh))).WithContext(gone)
	r.Header.Set("Content-Type", "application/json")
	donjon.TokenLogOutHandler(s.manager, refresh, nil).ServeHTTP(httptest.NewRecorder(), r)
	list, err := s.manager.List(t.Context(), "ann", "")
	ok(t, err)
	equal(t, "sign-ins by tokens", len(list), 0)
}

func TestUsersLogInOverHTTP(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{RefuseAtLimit: true, MaxPerUser: 1})
	handler := donjon.LogInHandler(s.manager, func(_ *http.Request, who donjon.Credentials) (string, error) {
		switch string(who.Password) {
		case "good":
			return who.Username, nil
		case "limited":
			return "", new(donjon.LimitError)
		case "failing":
			return "", errDown
		case "busy":
			return "", donjon.ErrBusy
		case "nobody's":
			return "", nil
		}
		return "", donjon.ErrPasswordMismatch
	}, &donjon.RequireSessionOptions{Logger: slog.New(slog.NewTextHandler(&s.log, nil))})
	post := func(body string, change func(http.Header)) *httptest.ResponseRecorder {
		r := s.request("POST", "/login")
		r.Body = io.NopCloser(strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if change != nil {
			change(r.Header)
		}
		w := s.answer(handler, r)
		equal(t, "cache", w.Header().Get("Cache-Control"), "no-store")
		return w
	}
	with := func(user, password string) string {
		return fmt.Sprintf(`{"username":%q,"password":%q,"device":"phone"}`, user, password)
	}
	for body, want := range map[string]int{
		with("ann", "bad"): 401, with("ann", "nobody's"): 401, with("ann", "limited"): 429, with("ann", "failing"): 500,
		with("ann", "busy"): 503, with("", "good"): 400, "": 400, "[]": 400, `{"username":1}`: 400, with(strings.Repeat("a", 70_000), "good"): 400, "{\"username\":\"ann\",\"password\":\"\xff\"}": 400,
		`{"username":"\ud83d","password":"good"}`: 400, `{"username":"\uDE00\uD83D","password":"good"}`: 400, `{"username":"\\\uDBFF\\uDC00","password":"good"}`: 400,
	} {
		w := post(body, nil)
		equal(t, fmt.Sprintf("%.60s", body), w.Code, want)
		equal(t, "cookies", len(w.Result().Cookies()), 0)
	}
	equal(t, "a form", post(with("ann", "good"), func(h http.Header) { h.Set("Content-Type", "text/plain") }).Code, http.StatusBadRequest)
	equal(t, "by another site", post(with("ann", "good"), func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") }).Code, http.StatusForbidden)
	equal(t, "GET", s.answer(handler, s.request("GET", "/login")).Code, http.StatusMethodNotAllowed)

	equal(t, "of a pair", post(`{"username":"\ud83d\uDE00\\ud83d","password":"good"}`, nil).Code, http.StatusNoContent)
	delete(s.cookies, sessionCookie)

	equal(t, "logged in", post(with("ann", "good"), nil).Code, http.StatusNoContent)
	first := s.cookies[sessionCookie]
	equal(t, "greeted", s.ask("GET", "/").Body.String(), "hello ann")
	list, err := s.manager.List(t.Context(), "ann", "")
	ok(t, err)
	equal(t, "device", list[0].Label, "phone")
	equal(t, "network", list[0].Network, "192.0.2.0/24")
	equal(t, "without a token", post(with("ben", "good"), func(h http.Header) { h.Del(donjon.CSRFHeader) }).Code, http.StatusForbidden)
	equal(t, "failed", post(with("ann", "bad"), nil).Code, http.StatusUnauthorized)
	equal(t, "still logged in", s.ask("GET", "/").Body.String(), "hello ann")

	// The session from before is over, which is what makes room for this one.
	equal(t, "logged in again", post(with("ann", "good"), nil).Code, http.StatusNoContent)
	_, err = s.manager.Check(t.Context(), first, donjon.SessionClient{Address: "192.0.2.1", UserAgent: "test"})
	if !errors.Is(err, donjon.ErrInvalidSession) {
		t.Errorf("from before: %v", err)
	}
	elsewhere := s.cookies
	s.cookies = map[string]string{}
	equal(t, "too many", post(with("ann", "good"), nil).Code, http.StatusConflict)
	s.cookies = elsewhere
	ok(t, s.manager.LogOutEverywhere(t.Context(), "ann"))
	w := post(with("ann", "good"), func(h http.Header) { h.Del(donjon.CSRFHeader) })
	equal(t, "with a dead session", w.Code, http.StatusNoContent)
	equal(t, "cookies", len(w.Result().Cookies()), 2)
	equal(t, "greeted", s.ask("GET", "/").Body.String(), "hello ann")
	if strings.Contains(s.log.String(), "nobody's") || strings.Contains(fmt.Sprintf("%+v", donjon.Credentials{Password: []byte("secret")}), "secret") {
		t.Error("a password is shown")
	}
}

func TestTokensAreRefreshedOverHTTP(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{})
	f := fixtureOf(t, s.keys, donjon.EdDSA)
	refresh, err := donjon.NewVerifier(s.keys, expecting(donjon.RefreshToken, donjon.EdDSA))
	ok(t, err)
	defer refresh.Close()
	opts := &donjon.TokenHandlerOptions{
		Access: func(_ context.Context, claims *donjon.Claims) (donjon.Grant, error) {
			if claims.Subject() == "locked" {
				return donjon.Grant{}, donjon.ErrPermissionDenied
			}
			return donjon.Grant{Roles: []string{"editor"}}, nil
		},
		Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	}
	renew := donjon.RefreshHandler(s.manager, func() *donjon.Issuer { return f.issuer }, refresh, opts)
	end := donjon.TokenLogOutHandler(s.manager, refresh, opts)
	post := func(handler http.Handler, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/refresh", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		equal(t, "cache", w.Header().Get("Cache-Control"), "no-store")
		return w
	}
	with := func(token string) string { return fmt.Sprintf(`{"refresh_token":%q}`, token) }
	begin := func(subject string) *donjon.TokenPair {
		t.Helper()
		pair, err := s.manager.BeginTokens(t.Context(), f.issuer, donjon.NewSession{Subject: subject}, donjon.Grant{})
		ok(t, err)
		return pair
	}
	pair := begin("ann")
	w := post(renew, with(pair.Refresh))
	equal(t, "status", w.Code, http.StatusOK)
	var next struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Type    string `json:"token_type"`
	}
	ok(t, json.Unmarshal(w.Body.Bytes(), &next))
	equal(t, "type", next.Type, "Bearer")
	claims, err := f.verifier.Verify(next.Access)
	ok(t, err)
	equal(t, "roles", fmt.Sprint(claims.Roles()), "[editor]")
	guarded := donjon.RequireToken(f.verifier, &donjon.RequireOptions{Check: s.manager.Revocations().Check})(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	bearer := func() int {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+next.Access)
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		return w.Code
	}
	equal(t, "with the access token", bearer(), http.StatusOK)

	for body, want := range map[string]int{
		with(next.Access): 401, with("a.b.c"): 401, with(""): 400, "": 400, "[]": 400, `{"refresh_token":1}`: 400,
		with(strings.Repeat("a", 70_000)): 400, with(begin("locked").Refresh): 403,
	} {
		w := post(renew, body)
		equal(t, fmt.Sprintf("%.40s", body), w.Code, want)
		if want == 401 {
			equal(t, "challenge", w.Header().Get("WWW-Authenticate"), `Bearer error="invalid_token"`)
		}
	}
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", "/refresh", nil), httptest.NewRequest("POST", "/refresh", strings.NewReader(with(next.Refresh))),
	} {
		w := httptest.NewRecorder()
		renew.ServeHTTP(w, r)
		equal(t, r.Method+" of no JSON", w.Code, map[string]int{"GET": 405, "POST": 400}[r.Method])
	}
	s.store.fails.Store(true)
	equal(t, "without the store", post(renew, with(next.Refresh)).Code, http.StatusServiceUnavailable)
	equal(t, "log-out without the store", post(end, with(next.Refresh)).Code, http.StatusServiceUnavailable)
	equal(t, "the access token without the store", bearer(), http.StatusServiceUnavailable)
	s.store.fails.Store(false)

	equal(t, "log-out", post(end, with(next.Refresh)).Code, http.StatusNoContent)
	equal(t, "log-out of what is none", post(end, with("a.b.c")).Code, http.StatusNoContent)
	equal(t, "log-out again", post(end, with(next.Refresh)).Code, http.StatusNoContent)
	equal(t, "refreshed after log-out", post(renew, with(next.Refresh)).Code, http.StatusUnauthorized)
	equal(t, "the access token after log-out", bearer(), http.StatusUnauthorized)
	if strings.Contains(s.log.String(), next.Refresh) {
		t.Error("a token is in the log")
	}
}
