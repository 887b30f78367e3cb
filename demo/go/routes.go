package main

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/donjon-security/donjon/bindings/go"
)

func routes(keys *keys, revocations *revocations, policies *policies, phones *phones, limits *limits, log *slog.Logger) http.Handler {
	guarded := donjon.RequireToken(keys, &donjon.RequireOptions{Check: revocations.check, Logger: log})
	may := func(permission string, handler http.HandlerFunc) http.Handler {
		opts := &donjon.AuthorizeOptions{Logger: log}
		return guarded(donjon.RequirePermission(policies.current.Load, permission, opts)(handler))
	}

	perUser := donjon.RateLimit(limits.limiter, donjon.RateLimitOptions{
		Limits: limits.sessionCreate, Key: subject, Proxies: limits.proxies, Logger: log,
		// Named, so that the Python service counts under the same key where they
		// share a store.
		Scope: "session_create",
	})

	mux := http.NewServeMux()
	mux.Handle("GET /me", guarded(me(limits.proxies)))
	mux.Handle("POST /sessions", guarded(perUser(http.HandlerFunc(session))))
	mux.Handle("POST /me/phone", guarded(http.HandlerFunc(phones.open)))
	mux.Handle("GET /documents/{id}", may("document:read:{id}", document))
	mux.Handle("PUT /documents/{id}", may("document:update:{id}", document))
	mux.Handle("DELETE /documents/{id}", may("document:delete:{id}", noContent))
	mux.Handle("GET /policy", may("policy:read", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, policyInForce{Service: "go", Digest: policies.digest()})
	}))
	if sessions := revocations.sessions; sessions != nil {
		signedIn := donjon.RequireSession(sessions, &donjon.RequireSessionOptions{Proxies: limits.proxies, Logger: log})
		mux.Handle("GET /web/me", signedIn(http.HandlerFunc(visitor)))
	}
	mux.HandleFunc("GET /healthz", noContent)
	return mux
}

// profile is the same, name by name, in the Python service; so are the others.
type profile struct {
	Service string   `json:"service"`
	Subject string   `json:"subject"`
	Roles   []string `json:"roles"`
	KeyID   string   `json:"key_id"`
	Address string   `json:"address"`
}

type sessionOf struct {
	Service string `json:"service"`
	Owner   string `json:"owner"`
}

type visitorOf struct {
	Service string `json:"service"`
	Subject string `json:"subject"`
	Network string `json:"network"`
}

type policyInForce struct {
	Service string `json:"service"`
	Digest  string `json:"digest"`
}

type documentOf struct {
	Service  string `json:"service"`
	Document string `json:"document"`
}

// visitor answers with who the browser is logged in as.
func visitor(w http.ResponseWriter, r *http.Request) {
	session, _ := donjon.SessionFromContext(r.Context()) // RequireSession has put it there
	answer(w, visitorOf{Service: "go", Subject: session.Subject, Network: session.Network})
}

// me answers with who the caller is, and from where.
func me(proxies *donjon.Proxies) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, _ := donjon.FromContext(r.Context()) // RequireToken has put it there
		client, err := proxies.Client(r)
		if err != nil {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		answer(w, profile{
			Service: "go", Subject: user.Subject(), Roles: user.Roles(), KeyID: user.KeyID(), Address: client.IP,
		})
	}
}

// subject is by whom sessions are counted.
func subject(r *http.Request) string {
	user, _ := donjon.FromContext(r.Context())
	return user.Subject()
}

// session answers with whose session it would have been: there are none.
func session(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(sessionOf{Service: "go", Owner: subject(r)})
}

// document answers with which document it would have been: there are none.
func document(w http.ResponseWriter, r *http.Request) {
	answer(w, documentOf{Service: "go", Document: r.PathValue("id")})
}

func noContent(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a client that has gone needs no answer
}
