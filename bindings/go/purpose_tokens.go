package donjon

import (
	"context"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// PurposeTokens mints and checks tokens that are good for one thing, once: to
// reset a password, to verify an address, to accept an invitation. A token is
// bound to a state, such as the stored password hash, and dies when the state
// changes.
type PurposeTokens struct {
	handle *handle[abi.PurposeTokens]
}

// A Binding is what a purpose token is bound to. A check has to name the same.
type Binding struct {
	Purpose string // such as "reset": lower-case letters, digits and hyphens
	Subject string // whom the token speaks for
	State   string // what the token's use changes; any bytes
}

// NewPurposeTokens makes purpose tokens with keys, which need a primary key for
// tokens and one for state binding.
func NewPurposeTokens(keys *Keyring) (*PurposeTokens, error) {
	k, err := keys.borrow()
	if err != nil {
		return nil, err
	}
	defer keys.handle.giveBack()
	t, status := abi.NewPurposeTokens(k)
	if err := failure(status); err != nil {
		return nil, err
	}
	tokens := new(PurposeTokens)
	tokens.handle = own(tokens, t, abi.PurposeTokens.Free)
	return tokens, nil
}

// Mint mints a token that is good for ttl, in whole seconds, or until the state
// changes.
func (t *PurposeTokens) Mint(b Binding, ttl time.Duration) (string, error) {
	return t.MintAt(b, ttl, time.Now())
}

// MintAt is [PurposeTokens.Mint] at another time.
func (t *PurposeTokens) MintAt(b Binding, ttl time.Duration, now time.Time) (string, error) {
	seconds, err := whole(ttl, time.Second)
	if err != nil {
		return "", err
	}
	tokens, err := t.borrow()
	if err != nil {
		return "", err
	}
	defer t.handle.giveBack()
	token, status := tokens.Mint(b.Purpose, b.Subject, b.State, seconds, now.Unix())
	return token, failure(status)
}

// Check returns nil if token is good for b, and [ErrInvalid] if it is not, for
// whichever reason. A check uses nothing up: see [PurposeTokens.Consume].
func (t *PurposeTokens) Check(token string, b Binding) error {
	return t.CheckAt(token, b, time.Now())
}

// CheckAt is [PurposeTokens.Check] at another time.
func (t *PurposeTokens) CheckAt(token string, b Binding, now time.Time) error {
	if now.IsZero() {
		return ErrInvalidArgument
	}
	tokens, err := t.borrow()
	if err != nil {
		return err
	}
	defer t.handle.giveBack()
	return failure(tokens.Check(token, b.Purpose, b.Subject, b.State, now.Unix()))
}

// Consume checks token and uses it up, by calling swap to change the state that
// the token is bound to: from b.State to the new one, atomically, and only if
// it still is b.State. A swap that reports false has lost to another use of
// the token, which is [ErrInvalid]. An SQL store swaps like this:
//
//	UPDATE users SET password_hash = $new WHERE id = $subject AND password_hash = $state
func (t *PurposeTokens) Consume(ctx context.Context, token string, b Binding, swap func(context.Context) (bool, error)) error {
	if err := t.Check(token, b); err != nil {
		return err
	}
	swapped, err := swap(ctx)
	if err != nil {
		return err
	}
	if !swapped {
		return ErrInvalid
	}
	return nil
}

// borrow is handle.borrow for tokens that a caller passes, perhaps nil.
func (t *PurposeTokens) borrow() (abi.PurposeTokens, error) {
	if t == nil {
		return abi.PurposeTokens{}, ErrClosed
	}
	return t.handle.borrow()
}

// Close releases the keys. It returns nil, always.
func (t *PurposeTokens) Close() error {
	if t != nil {
		t.handle.close()
	}
	return nil
}
