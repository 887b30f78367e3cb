package donjon

import (
	"context"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A Verifier checks tokens: signature first, then type, times, issuer, audience
// and what else is required.
type Verifier struct {
	handle *handle[abi.Verifier]
}

// A TokenVerifier verifies tokens: a [*Verifier], or a [*JWKSClient].
type TokenVerifier interface {
	VerifyContext(ctx context.Context, token string) (*Claims, error)
}

// NewVerifier makes a verifier that verifies with keys. Expectations that are
// neither given nor waived are [ErrConfig].
func NewVerifier(keys *Keyring, opts VerifierOptions) (*Verifier, error) {
	config, err := opts.document()
	if err != nil {
		return nil, err
	}
	return newVerifier(keys, config)
}

// ParseVerifier is [NewVerifier] of the kernel's own configuration document, a
// JSON object that is the same in every language.
func ParseVerifier(keys *Keyring, config []byte) (*Verifier, error) {
	return newVerifier(keys, abi.Text(config))
}

func newVerifier(keys *Keyring, config string) (*Verifier, error) {
	k, err := keys.borrow()
	if err != nil {
		return nil, err
	}
	defer keys.handle.giveBack()
	v, status := abi.NewVerifier(k, config)
	err = accepted(status, func() ([]byte, int32) { return abi.VerifierDiagnose(k, config) })
	if err != nil {
		return nil, err
	}
	verifier := new(Verifier)
	verifier.handle = own(verifier, v, abi.Verifier.Free)
	return verifier, nil
}

// Verify verifies token and returns its claims.
func (v *Verifier) Verify(token string) (*Claims, error) {
	return v.verify(token, time.Now().Unix())
}

// VerifyAt is [Verifier.Verify] at another time. The zero time is
// [ErrInvalidArgument].
func (v *Verifier) VerifyAt(token string, now time.Time) (*Claims, error) {
	if now.IsZero() {
		return nil, ErrInvalidArgument
	}
	return v.verify(token, now.Unix())
}

// VerifyContext is [Verifier.Verify]: it never waits, and so never looks at ctx.
func (v *Verifier) VerifyContext(_ context.Context, token string) (*Claims, error) {
	return v.Verify(token)
}

func (v *Verifier) verify(token string, now int64) (*Claims, error) {
	verifier, err := v.borrow()
	if err != nil {
		return nil, err
	}
	defer v.handle.giveBack()
	claims := new(Claims)
	text, status := verifier.Verify(token, now, &claims.index)
	if err := failure(status); err != nil {
		return nil, err
	}
	claims.text = text
	return claims, nil
}

// borrow is handle.borrow for a verifier that a caller passes, perhaps nil.
func (v *Verifier) borrow() (abi.Verifier, error) {
	if v == nil {
		return abi.Verifier{}, ErrClosed
	}
	return v.handle.borrow()
}

// Close releases the verifier. It returns nil, always.
func (v *Verifier) Close() error {
	if v != nil {
		v.handle.close()
	}
	return nil
}
