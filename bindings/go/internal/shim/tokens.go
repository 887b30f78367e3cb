package shim

import (
	"encoding/json"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func jwsVerify(r *request) func(*answer) error {
	keys, algorithms := r.raw("keys"), r.members["algorithms"]
	jws, now := r.text("jws"), time.Unix(r.optionalInt("now_s", 0), 0)
	return func(a *answer) error {
		keyring, err := donjon.ParseKeyring(keys)
		if err != nil {
			return err
		}
		defer keyring.Close()
		var allowed []donjon.Algorithm
		if json.Unmarshal(algorithms, &allowed) != nil {
			return donjon.ErrConfig
		}
		verified, err := keyring.VerifyJWSAt(jws, now, allowed...)
		if err != nil {
			return err
		}
		a.hex("payload_hex", verified.Payload)
		a.string("alg", string(verified.Algorithm))
		a.stringOrNull("kid", verified.KeyID)
		return nil
	}
}

func tokenVerify(r *request) func(*answer) error {
	keys, config := r.raw("keys"), verifierConfig(r)
	token, now := r.text("token"), time.Unix(r.int("now_s"), 0)
	return func(a *answer) error {
		keyring, err := donjon.ParseKeyring(keys)
		if err != nil {
			return err
		}
		defer keyring.Close()
		verifier, err := donjon.ParseVerifier(keyring, config)
		if err != nil {
			return err
		}
		defer verifier.Close()
		claims, err := verifier.VerifyAt(token, now)
		if err != nil {
			return err
		}
		a.raw("claims", claims.JSON())
		return nil
	}
}

// verifierConfig passes on what the request says, as it says it.
func verifierConfig(r *request) []byte {
	var config answer
	for _, member := range []string{"issuer", "audience", "typ", "algorithms", "leeway_s", "require", "legacy_type_claim"} {
		raw, ok := r.members[member]
		if !ok {
			continue
		}
		if member == "typ" {
			member = "type"
		}
		config.raw(member, string(raw))
	}
	if config.text == nil {
		return []byte("{}")
	}
	return config.end()
}

func tokenSign(r *request) func(*answer) error {
	keys, claims := r.raw("keys"), r.raw("claims")
	kid, typ := r.optionalText("kid"), r.optionalText("typ")
	r.optionalInt("now_s", 0)
	return func(a *answer) error {
		keyring, err := donjon.ParseKeyring(keys)
		if err != nil {
			return err
		}
		defer keyring.Close()
		token, err := keyring.SignClaims(kid, donjon.TokenType(typ), claims)
		if err != nil {
			return err
		}
		a.string("token", token)
		return nil
	}
}
