package shim

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

func binding(r *request) donjon.Binding {
	return donjon.Binding{Purpose: r.text("purpose"), Subject: r.text("subject"), State: r.text("state")}
}

func purposeMint(r *request) func(*answer) error {
	keys, binding := r.raw("keyring"), binding(r)
	now, ttl := time.Unix(r.int("now_s"), 0), duration(r.int("ttl_s"), time.Second)
	entropy := r.hex("entropy_hex")
	return func(a *answer) error {
		return withPurposeTokens(keys, func(tokens *donjon.PurposeTokens) error {
			var token string
			var err error
			if status := abi.WithEntropy(entropy, func() { token, err = tokens.MintAt(binding, ttl, now) }); status != abi.StatusOK {
				return &donjon.Error{Code: donjon.Code(status)}
			}
			if err != nil {
				return err
			}
			a.string("token", token)
			return nil
		})
	}
}

func purposeCheck(r *request) func(*answer) error {
	keys, binding := r.raw("keyring"), binding(r)
	now, token := time.Unix(r.int("now_s"), 0), r.text("token")
	return func(*answer) error {
		return withPurposeTokens(keys, func(tokens *donjon.PurposeTokens) error {
			return tokens.CheckAt(token, binding, now)
		})
	}
}

func withPurposeTokens(keys []byte, f func(*donjon.PurposeTokens) error) error {
	keyring, err := donjon.ParseKeyring(keys)
	if err != nil {
		return err
	}
	defer keyring.Close()
	tokens, err := donjon.NewPurposeTokens(keyring)
	if err != nil {
		return err
	}
	defer tokens.Close()
	return f(tokens)
}
