package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// A JWS is a verified JSON Web Signature in compact serialisation (RFC 7515).
type JWS struct {
	Payload   []byte
	Algorithm Algorithm
	KeyID     string // of the key that verified; empty if it has none
}

// VerifyJWS verifies a JWS whose payload need not be claims. To verify a token,
// use a [Verifier].
func (k *Keyring) VerifyJWS(jws string, algorithms ...Algorithm) (*JWS, error) {
	return k.VerifyJWSAt(jws, time.Now(), algorithms...)
}

// VerifyJWSAt is [Keyring.VerifyJWS] at another time, which matters to keys that
// verify until a time only.
func (k *Keyring) VerifyJWSAt(jws string, now time.Time, algorithms ...Algorithm) (*JWS, error) {
	keys, err := k.borrow()
	if err != nil {
		return nil, err
	}
	defer k.handle.giveBack()
	list := quote.AppendAll(nil, algorithms)
	payload, alg, kid, status := keys.JWSVerify(abi.Text(list), jws, now.Unix())
	if err := failure(status); err != nil {
		return nil, err
	}
	return &JWS{Payload: []byte(payload), Algorithm: Algorithm(alg), KeyID: kid}, nil
}

// UnverifiedHeader returns the header of a token as a JSON object, UNVERIFIED:
// anyone may have written it. It is for logs and for choosing among issuers.
func UnverifiedHeader(token string) ([]byte, error) {
	header, status := abi.UnverifiedHeader(token)
	return header, failure(status)
}
