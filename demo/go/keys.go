package main

import (
	"context"
	"sync/atomic"

	"github.com/donjon-security/donjon/bindings/go"
)

// Who issues the tokens, and whom they are for: the Python service says the same.
const (
	issuer   = "https://accounts.demo.example"
	audience = "demo"
)

// keys verify access tokens. They are derived from the master secret that all
// services share, so there is nothing to fetch and nothing to distribute but
// the number of an epoch.
type keys struct {
	epoch    uint32 // a real service reads it from its configuration
	verifier atomic.Pointer[donjon.Verifier]
	keyring  atomic.Pointer[donjon.Keyring]
}

func newKeys() (*keys, error) {
	k := new(keys)
	return k, k.rotate()
}

// VerifyContext makes keys a [donjon.TokenVerifier].
func (k *keys) VerifyContext(ctx context.Context, token string) (*donjon.Claims, error) {
	return k.verifier.Load().VerifyContext(ctx, token)
}

// current is the keyring by which sets of revocations are checked.
func (k *keys) current() *donjon.Keyring { return k.keyring.Load() }

// rotate moves on to the next epoch. The key of the epoch before goes on
// verifying and that of the epoch after verifies already, so services need not
// rotate at the same moment.
func (k *keys) rotate() error {
	epoch := k.epoch + 1
	keyring, err := donjon.KeyringFromEnv(donjon.MasterEnv, donjon.Epoch{
		Purpose:   donjon.PurposeToken,
		Algorithm: donjon.EdDSA,
		Current:   epoch,
		Oldest:    max(epoch-1, 1),
	})
	if err != nil {
		return err
	}

	verifier, err := donjon.NewVerifier(keyring, donjon.VerifierOptions{
		Issuer:     issuer,
		Audience:   []string{audience},
		Type:       donjon.AccessToken,
		Algorithms: []donjon.Algorithm{donjon.EdDSA},
	})
	if err != nil {
		return err
	}
	k.epoch = epoch
	k.verifier.Store(verifier) // the old one is released once no request uses it
	k.keyring.Store(keyring)
	return nil
}
