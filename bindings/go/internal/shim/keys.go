package shim

import (
	"encoding/json"
	"strings"

	"github.com/donjon-security/donjon/bindings/go"
)

func jwksParse(r *request) func(*answer) error {
	jwks := r.raw("jwks")
	return func(a *answer) error {
		keyring, err := donjon.ParseKeyring(jwks)
		if err != nil {
			return err
		}
		defer keyring.Close()
		text, err := keyring.SummaryJSON()
		if err != nil {
			return err
		}
		var summary struct {
			Keys []map[string]json.RawMessage `json:"keys"`
		}
		if err := json.Unmarshal(text, &summary); err != nil {
			return err
		}
		keys := make([]string, len(summary.Keys))
		for i, key := range summary.Keys {
			var k answer
			for _, member := range []string{"kid", "kty", "alg", "thumbprint"} {
				k.raw(member, string(key[member]))
			}
			keys[i] = string(k.end())
		}
		a.raw("keys", "["+strings.Join(keys, ",")+"]")
		return nil
	}
}
