package main

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/donjon-security/donjon/bindings/go"
)

func routes(keys *keys, policies *policies, phones *phones, log *slog.Logger) http.Handler {
	guarded := donjon.RequireToken(keys, &donjon.RequireOptions{Logger: log})
	may := func(permission string, handler http.HandlerFunc) http.Handler {
		opts := &donjon.AuthorizeOptions{Logger: log}
		return guarded(donjon.RequirePermission(policies.current.Load, permission, opts)(handler))
	}

	mux := http.NewServeMux()
	mux.Handle("GET /me", guarded(http.HandlerFunc(me)))
	mux.Handle("POST /me/phone", guarded(http.HandlerFunc(phones.open)))
	mux.Handle("GET /documents/{id}", may("document:read:{id}", document))
	mux.Handle("PUT /documents/{id}", may("document:update:{id}", document))
	mux.Handle("DELETE /documents/{id}", may("document:delete:{id}", noContent))
	mux.Handle("GET /policy", may("policy:read", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, policyInForce{Service: "go", Digest: policies.digest()})
	}))
	mux.HandleFunc("GET /healthz", noContent)
	return mux
}

// profile is the same, name by name, in the Python service; so are the others.
type profile struct {
	Service string   `json:"service"`
	Subject string   `json:"subject"`
	Roles   []string `json:"roles"`
	KeyID   string   `json:"key_id"`
}

type policyInForce struct {
	Service string `json:"service"`
	Digest  string `json:"digest"`
}

type documentOf struct {
	Service  string `json:"service"`
	Document string `json:"document"`
}

func me(w http.ResponseWriter, r *http.Request) {
	user, _ := donjon.FromContext(r.Context()) // RequireToken has put it there
	answer(w, profile{Service: "go", Subject: user.Subject(), Roles: user.Roles(), KeyID: user.KeyID()})
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
