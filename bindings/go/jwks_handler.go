package donjon

import (
	"net/http"
	"strconv"
)

// jwksMaxAge is how long, in seconds, verifiers may keep a published key set: a
// key is published this long before it signs.
const jwksMaxAge = 300

// JWKSHandler publishes the public keys of the keyring that current returns,
// customarily at /.well-known/jwks.json. It asks anew for every request, so that
// rotated keys are published at once.
func JWKSHandler(current func() *Keyring) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allows(w, r, http.MethodGet, http.MethodHead) {
			return
		}
		set, err := current().PublicJWKS()
		if err != nil {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(jwksMaxAge))
		w.Header().Set("Content-Length", strconv.Itoa(len(set)))
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(set) // a client that has gone needs no answer
	})
}
