package main

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/donjon-security/donjon/bindings/go"
)

func routes(keys *keys, log *slog.Logger) http.Handler {
	guarded := donjon.RequireToken(keys, &donjon.RequireOptions{Logger: log})

	mux := http.NewServeMux()
	mux.Handle("GET /me", guarded(http.HandlerFunc(me)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// profile is the same, name by name, in the Python service.
type profile struct {
	Service     string   `json:"service"`
	Subject     string   `json:"subject"`
	Permissions []string `json:"permissions"`
	KeyID       string   `json:"key_id"`
}

func me(w http.ResponseWriter, r *http.Request) {
	user, _ := donjon.FromContext(r.Context()) // RequireToken has put it there
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(profile{ // a client that has gone needs no answer
		Service:     "go",
		Subject:     user.Subject(),
		Permissions: user.Permissions(),
		KeyID:       user.KeyID(),
	})
}
