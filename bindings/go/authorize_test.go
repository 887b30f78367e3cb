package donjon_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

type middleware = func(http.Handler) http.Handler

// guarded is a service with one guarded route, behind RequireToken.
func guarded(f fixture, pattern string, require middleware) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(pattern, require(http.HandlerFunc(whoami)))
	return donjon.RequireToken(f.verifier, nil)(mux)
}

func (f fixture) grant(t testing.TB, g donjon.Grant) string {
	t.Helper()
	g.Subject = "ann"
	token, err := f.issuer.Access(g)
	ok(t, err)
	return "Bearer " + token
}

func get(h http.Handler, path, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL = &url.URL{Path: path}
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func always(policy *donjon.Policy) func() *donjon.Policy {
	return func() *donjon.Policy { return policy }
}

func roles(names ...string) donjon.Grant { return donjon.Grant{Roles: names} }

func TestRouteServesWhoeverHasThePermission(t *testing.T) {
	f := newFixture(t)
	policy := always(newPolicy(t, documents))
	for name, c := range map[string]struct {
		require middleware
		grant   donjon.Grant
		want    int
	}{
		"permission":               {donjon.RequirePermission(policy, "document:create", nil), roles("editor"), http.StatusOK},
		"no permission":            {donjon.RequirePermission(policy, "document:create", nil), roles("viewer"), http.StatusForbidden},
		"no roles":                 {donjon.RequirePermission(policy, "document:read", nil), roles(), http.StatusForbidden},
		"an unknown role":          {donjon.RequirePermission(policy, "document:read", nil), roles("ghost"), http.StatusForbidden},
		"a role of a tenant":       {donjon.RequirePermission(policy, "document:read", nil), roles("viewer@acme"), http.StatusForbidden},
		"roles that exclude":       {donjon.RequirePermission(policy, "document:read", nil), roles("owner", "intern"), http.StatusForbidden},
		"a permission, no role":    {donjon.RequirePermission(policy, "user:read", nil), donjon.Grant{Permissions: []string{"*"}}, http.StatusForbidden},
		"a token that is limited":  {donjon.RequirePermission(policy, "user:read", nil), donjon.Grant{Roles: []string{"admin"}, Permissions: []string{"document"}}, http.StatusForbidden},
		"a token limited to none":  {donjon.RequirePermission(policy, "user:read", nil), donjon.Grant{Roles: []string{"admin"}, Permissions: []string{}}, http.StatusForbidden},
		"a token limited to it":    {donjon.RequirePermission(policy, "user:read", nil), donjon.Grant{Roles: []string{"admin"}, Permissions: []string{"user"}}, http.StatusOK},
		"any":                      {donjon.RequireAnyPermission(policy, []string{"user:read", "document:read"}, nil), roles("viewer"), http.StatusOK},
		"none of any":              {donjon.RequireAnyPermission(policy, []string{"user:read", "document:create"}, nil), roles("viewer"), http.StatusForbidden},
		"all":                      {donjon.RequireAllPermissions(policy, []string{"document:read", "document:create"}, nil), roles("editor"), http.StatusOK},
		"all but one":              {donjon.RequireAllPermissions(policy, []string{"document:read", "document:create"}, nil), roles("viewer"), http.StatusForbidden},
		"the role":                 {donjon.RequireRole(policy, "editor", nil), roles("editor"), http.StatusOK},
		"the role, by inheritance": {donjon.RequireRole(policy, "viewer", nil), roles("editor"), http.StatusOK},
		"another role":             {donjon.RequireRole(policy, "editor", nil), roles("admin"), http.StatusForbidden},
	} {
		w := get(guarded(f, "GET /documents", c.require), "/documents", f.grant(t, c.grant))
		equal(t, name, w.Code, c.want)
		if c.want == http.StatusForbidden {
			equal(t, name+": body", w.Body.String(), "Forbidden\n")
			equal(t, name+": challenge", w.Header().Get("WWW-Authenticate"), `Bearer error="insufficient_scope"`)
			equal(t, name+": caching", w.Header().Get("Cache-Control"), "no-store")
		} else {
			equal(t, name+": body", w.Body.String(), "ann")
		}
	}
}

func TestPermissionIsAboutTheInstanceInThePath(t *testing.T) {
	f := newFixture(t)
	policy := always(newPolicy(t, documents))
	h := guarded(f, "GET /documents/{id}", donjon.RequirePermission(policy, "document:read:{id}", nil))
	for path, want := range map[string]int{"/documents/42": http.StatusOK, "/documents/43": http.StatusForbidden} {
		equal(t, path, get(h, path, f.grant(t, roles("reader-of-42"))).Code, want)
		equal(t, path, get(h, path, f.grant(t, roles("viewer"))).Code, http.StatusOK)
	}
	either := guarded(f, "GET /documents/{id}", donjon.RequireAnyPermission(policy, []string{"document:update:{id}", "document:read:{id}"}, nil))
	equal(t, "any", get(either, "/documents/42", f.grant(t, roles("reader-of-42"))).Code, http.StatusOK)
	both := guarded(f, "GET /documents/{id}", donjon.RequireAllPermissions(policy, []string{"document:update:{id}", "document:read:{id}"}, nil))
	equal(t, "all", get(both, "/documents/42", f.grant(t, roles("reader-of-42"))).Code, http.StatusForbidden)
}

func TestHostilePathValuesAreForbidden(t *testing.T) {
	f := newFixture(t)
	policy := always(newPolicy(t, documents))
	h := guarded(f, "GET /documents/{id}", donjon.RequirePermission(policy, "document:read:{id}", nil))
	for _, role := range []string{"admin", "reader-of-42"} {
		token := f.grant(t, roles(role))
		for _, id := range []string{"*", "42,43", "42:x", "4 2", "42\n", "\x00", "\xff", "42\u00a0", "\u2028", strings.Repeat("4", 1<<16)} {
			w := get(h, "/documents/"+id, token)
			equal(t, role+" at "+id[:min(len(id), 10)], w.Code, http.StatusForbidden)
		}
	}
}

func TestRestOfThePathIsAnInstance(t *testing.T) {
	f := newFixture(t)
	h := guarded(f, "GET /documents/{id...}", donjon.RequirePermission(always(newPolicy(t, documents)), "document:read:{id}", nil))
	for path, want := range map[string]int{
		"/documents/42": http.StatusOK, "/documents/42/1": http.StatusForbidden, "/documents/": http.StatusForbidden,
	} {
		equal(t, path, get(h, path, f.grant(t, roles("reader-of-42"))).Code, want)
	}
	equal(t, "nothing, for an admin", get(h, "/documents/", f.grant(t, roles("admin"))).Code, http.StatusForbidden)
}

func TestTenantIsTakenFromTheRequest(t *testing.T) {
	f := newFixture(t)
	policy := always(newPolicy(t, documents))
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	opts := &donjon.AuthorizeOptions{Logger: logger, Tenant: func(r *http.Request) (string, error) {
		switch tenant := r.PathValue("tenant"); tenant {
		case "down":
			return "", errors.New("the directory is down")
		case "nowhere":
			return "", donjon.ErrPermissionDenied
		default:
			return tenant, nil
		}
	}}
	h := guarded(f, "GET /{tenant}/documents", donjon.RequirePermission(policy, "document:create", opts))
	token := f.grant(t, roles("editor@acme", "viewer"))
	for tenant, want := range map[string]int{
		"acme": http.StatusOK, "globex": http.StatusForbidden, "Acme": http.StatusForbidden, "a@b": http.StatusForbidden,
		"a b": http.StatusForbidden, "\xff": http.StatusForbidden, strings.Repeat("a", 1<<16): http.StatusForbidden,
		"nowhere": http.StatusForbidden, "down": http.StatusInternalServerError,
	} {
		equal(t, tenant[:min(len(tenant), 10)], get(h, "/"+tenant+"/documents", token).Code, want)
	}
	log.Reset()
	get(h, "/a@b/documents", token)
	if !strings.Contains(log.String(), "reason.code=permission_denied") || !strings.Contains(log.String(), "the tenant is no name") {
		t.Errorf("logged %s", log.String())
	}
}

func TestRolesAreLookedUpForTheUserOfASession(t *testing.T) {
	s := newSite(t, donjon.SessionsOptions{})
	policy := always(newPolicy(t, documents))
	rolesOf := map[string][]string{"ann": {"editor"}, "bob": {"viewer"}, "eve": {"payer", "approver"}, "odd": {"\xff"}, "all": slices.Repeat([]string{"editor"}, 5000)}
	opts := &donjon.AuthorizeOptions{Roles: func(r *http.Request) ([]string, error) {
		session, _ := donjon.SessionFromContext(r.Context())
		if session.Subject == "nobody" {
			return nil, donjon.ErrStoreUnavailable
		}
		return rolesOf[session.Subject], nil
	}}
	require := donjon.RequirePermission(policy, "document:create", opts)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subject, is := donjon.SubjectFromContext(r.Context()); !is || !subject.Has("document:create") {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	h := donjon.RequireSession(s.manager, nil)(require)
	for subject, want := range map[string]int{
		"ann": http.StatusOK, "bob": http.StatusForbidden, "eve": http.StatusForbidden, "odd": http.StatusForbidden, "all": http.StatusForbidden,
		"stranger": http.StatusForbidden, "nobody": http.StatusServiceUnavailable,
	} {
		s.logIn(subject)
		w := s.answer(h, s.request(http.MethodGet, "/"))
		equal(t, subject, w.Code, want)
		equal(t, subject+" is not told of tokens", w.Header().Get("WWW-Authenticate"), "")
	}

	// Whose request it is has to be known: a visitor's session has nobody in it.
	anonymous, err := s.manager.BeginAnonymous(t.Context(), donjon.NewSession{
		Client: donjon.SessionClient{Address: "192.0.2.1", UserAgent: "test"},
	})
	ok(t, err)
	s.cookies[sessionCookie] = anonymous.ID
	equal(t, "a visitor", s.answer(h, s.request(http.MethodGet, "/")).Code, http.StatusUnauthorized)
	visitors := donjon.RequireSession(s.manager, &donjon.RequireSessionOptions{Anonymous: true})(require)
	w := s.answer(visitors, s.request(http.MethodGet, "/"))
	equal(t, "a visitor who is served", w.Code, http.StatusUnauthorized)
	equal(t, "what a visitor is told", w.Header().Get("WWW-Authenticate"), "APIKey")
	delete(s.cookies, sessionCookie)
	whoever := donjon.RequireSession(s.manager, &donjon.RequireSessionOptions{Optional: true})(require)
	equal(t, "nobody who is served", s.answer(whoever, s.request(http.MethodGet, "/")).Code, http.StatusUnauthorized)
	equal(t, "without RequireSession", s.answer(require, s.request(http.MethodGet, "/")).Code, http.StatusInternalServerError)
}

func TestATokensPermissionsLimitRolesThatAreLookedUp(t *testing.T) {
	f := newFixture(t)
	opts := &donjon.AuthorizeOptions{Roles: func(r *http.Request) ([]string, error) {
		claims, _ := donjon.FromContext(r.Context())
		return map[string][]string{"ann": {"editor"}}[claims.Subject()], nil
	}}
	h := guarded(f, "GET /", donjon.RequirePermission(always(newPolicy(t, documents)), "document:create", opts))
	for name, c := range map[string]struct {
		grant donjon.Grant
		want  int
	}{
		"roles of the token do not count": {roles("viewer"), http.StatusOK},
		"permissions that have it":        {donjon.Grant{Permissions: []string{"document:create"}}, http.StatusOK},
		"permissions that lack it":        {donjon.Grant{Permissions: []string{"document:read"}}, http.StatusForbidden},
		"no permissions":                  {donjon.Grant{Permissions: []string{}}, http.StatusForbidden},
	} {
		equal(t, name, get(h, "/", f.grant(t, c.grant)).Code, c.want)
	}
}

func TestHandlerAsksTheSubjectFurther(t *testing.T) {
	f := newFixture(t)
	var kept *donjon.Subject
	mux := http.NewServeMux()
	mux.Handle("GET /documents", donjon.RequirePermission(always(newPolicy(t, documents)), "document:read", nil)(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			subject, found := donjon.SubjectFromContext(r.Context())
			equal(t, "found", found, true)
			equal(t, "may create", subject.Has("document:create"), true)
			equal(t, "may delete", subject.Has("document:delete"), false)
			kept = subject
		})))
	w := get(donjon.RequireToken(f.verifier, nil)(mux), "/documents", f.grant(t, roles("editor")))
	equal(t, "status", w.Code, http.StatusOK)
	equal(t, "after the request", kept.Has("document:create"), false)
	if subject, found := donjon.SubjectFromContext(t.Context()); found || subject != nil {
		t.Error(subject)
	}
}

func TestReasonOfADenialIsLoggedAndNotTold(t *testing.T) {
	f := newFixture(t)
	var log bytes.Buffer
	opts := &donjon.AuthorizeOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	policy := always(newPolicy(t, documents))
	h := guarded(f, "GET /documents/{id}", donjon.RequirePermission(policy, "document:update:{id}", opts))
	w := get(h, "/documents/7", f.grant(t, roles("viewer", "ghost")))
	equal(t, "body", w.Body.String(), "Forbidden\n")
	for _, part := range []string{
		"level=INFO", "status=403", "reason.code=permission_denied", "reason.explanation.reason=missing",
		`reason.explanation.permissions="[document:update:7 missing]"`, "reason.explanation.unknown_roles=[ghost]", "path=/documents/7",
	} {
		if !strings.Contains(log.String(), part+" ") && !strings.Contains(log.String(), part+"\n") {
			t.Errorf("%s is not in %s", part, log.String())
		}
	}
	log.Reset()
	get(guarded(f, "GET /", donjon.RequireRole(policy, "admin", opts)), "/", f.grant(t, roles("viewer")))
	if !strings.Contains(log.String(), "reason.role=admin") {
		t.Errorf("logged %s", log.String())
	}
	log.Reset()
	get(guarded(f, "GET /", donjon.RequireRole(policy, "admin", opts)), "/", f.grant(t, roles("payer", "approver")))
	if !strings.Contains(log.String(), "reason.code=separation_of_duty") {
		t.Errorf("logged %s", log.String())
	}

	// Nobody waits for the roles of who has gone: that is no failure of the service.
	log.Reset()
	opts.Roles = func(r *http.Request) ([]string, error) { return nil, r.Context().Err() }
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", f.grant(t, roles("viewer")))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	guarded(f, "GET /", donjon.RequireRole(policy, "admin", opts)).ServeHTTP(httptest.NewRecorder(), r.WithContext(gone))
	equal(t, "logged", log.String(), "")
}

func TestMisplacedMiddlewareServesNobody(t *testing.T) {
	f := newFixture(t)
	var log bytes.Buffer
	opts := &donjon.AuthorizeOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	policy := newPolicy(t, documents)
	token := f.grant(t, roles("admin"))
	for name, h := range map[string]http.Handler{
		"no RequireToken before it": donjon.RequirePermission(always(policy), "user:read", opts)(http.HandlerFunc(whoami)),
		"a route without the value": guarded(f, "GET /", donjon.RequirePermission(always(policy), "document:read:{id}", opts)),
		"a name of another value":   guarded(f, "GET /{x}", donjon.RequirePermission(always(policy), "document:read:{id}", opts)),
	} {
		log.Reset()
		equal(t, name, get(h, "/x", token).Code, http.StatusInternalServerError)
		if !strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("%s: logged %s", name, log.String())
		}
	}
	h := guarded(f, "GET /", donjon.RequirePermission(always(policy), "user:read", opts))
	policy.Close()
	equal(t, "a closed policy", get(h, "/", token).Code, http.StatusInternalServerError)
}

func TestMistakesInTheProgramPanicAtItsStart(t *testing.T) {
	policy := always(newPolicy(t, documents))
	for name, build := range map[string]func() middleware{
		"a misspelt permission":  func() middleware { return donjon.RequirePermission(policy, "document:raed", nil) },
		"no instances":           func() middleware { return donjon.RequirePermission(policy, "document:create:{id}", nil) },
		"a malformed permission": func() middleware { return donjon.RequirePermission(policy, "document::read", nil) },
		"no permission":          func() middleware { return donjon.RequirePermission(policy, "", nil) },
		"any of none":            func() middleware { return donjon.RequireAnyPermission(policy, nil, nil) },
		"all of none":            func() middleware { return donjon.RequireAllPermissions(policy, []string{}, nil) },
		"a misspelt one of two":  func() middleware { return donjon.RequireAnyPermission(policy, []string{"user:read", "user:raed"}, nil) },
		"two path values": func() middleware {
			return donjon.RequireAllPermissions(policy, []string{"document:read:{a}", "document:update:{b}"}, nil)
		},
		"a path value and none": func() middleware {
			return donjon.RequireAllPermissions(policy, []string{"document:read:{a}", "user:read"}, nil)
		},
		"a path value with dots": func() middleware {
			return donjon.RequirePermission(policy, "document:read:{id...}", nil)
		},
		"a misspelt role":         func() middleware { return donjon.RequireRole(policy, "editr", nil) },
		"no policy":               func() middleware { return donjon.RequirePermission(always(nil), "user:read", nil) },
		"no policy, for its role": func() middleware { return donjon.RequireRole(always(nil), "admin", nil) },
	} {
		func() {
			defer func() {
				message, _ := recover().(string)
				if !strings.HasPrefix(message, "donjon: ") {
					t.Errorf("%s: panicked with %q", name, message)
				}
			}()
			build()
		}()
	}
}

// Requests decide by the old policy or by the new one, and nothing in between.
func TestPolicyIsReplacedUnderTraffic(t *testing.T) {
	f := newFixture(t)
	const strict = `{"permissions":["page:read"],"roles":{"reader":{}}}`
	const lenient = `{"permissions":["page:read"],"roles":{"reader":{"allow":["page:read"]}}}`
	var current atomic.Pointer[donjon.Policy]
	store := func(document string) {
		policy, err := donjon.ParsePolicy([]byte(document))
		ok(t, err)
		current.Store(policy)
	}
	store(strict)
	h := guarded(f, "GET /", donjon.RequirePermission(current.Load, "page:read", nil))
	token := f.grant(t, roles("reader"))
	equal(t, "before", get(h, "/", token).Code, http.StatusForbidden)

	var group sync.WaitGroup
	var done atomic.Bool
	for range 4 {
		group.Go(func() {
			for !done.Load() {
				if code := get(h, "/", token).Code; code != http.StatusOK && code != http.StatusForbidden {
					t.Errorf("answered %d", code)
				}
			}
		})
	}
	for range 200 {
		store(strict)
		store(lenient)
	}
	done.Store(true)
	group.Wait()
	equal(t, "after", get(h, "/", token).Code, http.StatusOK)

	store(`{"permissions":["page:write"],"roles":{"reader":{"allow":["*"]}}}`)
	equal(t, "without the permission", get(h, "/", token).Code, http.StatusForbidden)
}

func TestGuardedRoutesNest(t *testing.T) {
	f := newFixture(t)
	policy := always(newPolicy(t, documents))
	outer, inner := donjon.RequireRole(policy, "viewer", nil), donjon.RequirePermission(policy, "document:create", nil)
	h := donjon.RequireToken(f.verifier, nil)(outer(inner(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		subject, _ := donjon.SubjectFromContext(r.Context())
		_, _ = io.WriteString(w, strings.Repeat("!", len(must(subject.Permissions()))))
	}))))
	equal(t, "both", get(h, "/", f.grant(t, roles("editor"))).Body.String(), "!!!")
	equal(t, "one", get(h, "/", f.grant(t, roles("viewer"))).Code, http.StatusForbidden)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
