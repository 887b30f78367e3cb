package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// PublicJWKS returns the public keys that verify tokens now, as the JWK Set that
// an issuer publishes. Symmetric keys are never in it.
func (k *Keyring) PublicJWKS() ([]byte, error) { return k.PublicJWKSAt(time.Now()) }

// PublicJWKSAt is [Keyring.PublicJWKS] at another time.
func (k *Keyring) PublicJWKSAt(now time.Time) ([]byte, error) {
	keys, err := k.borrow()
	if err != nil {
		return nil, err
	}
	defer k.handle.giveBack()
	set, status := keys.PublicJWKS(now.Unix())
	return set, failure(status)
}

// SecretJWKS returns the whole keyring, private keys and secrets included, as a
// JWK Set that [ParseKeyring] reads. Whoever has it can sign tokens: keep it
// encrypted, and clear the slice when done.
func (k *Keyring) SecretJWKS() ([]byte, error) {
	keys, err := k.borrow()
	if err != nil {
		return nil, err
	}
	defer k.handle.giveBack()
	set, status := keys.ToJWKS()
	return set, failure(status)
}

// SignClaims signs claims, a complete JSON object to which nothing is added.
// The key is the one with this id, or the primary key for tokens if keyID is
// empty. Services mint tokens with an [Issuer]; this is for those who have to
// match another issuer's claims.
func (k *Keyring) SignClaims(keyID string, typ TokenType, claims []byte) (string, error) {
	keys, err := k.borrow()
	if err != nil {
		return "", err
	}
	defer k.handle.giveBack()
	token, status := keys.TokenSign(keyID, string(typ), abi.Text(claims))
	return token, failure(status)
}
