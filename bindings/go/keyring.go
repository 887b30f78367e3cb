package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A Keyring is a set of keys, each with one purpose and a status. It never
// changes: methods that would change it return another keyring. What was made
// with a keyring stays usable after the keyring is closed.
type Keyring struct {
	handle *handle[abi.Keyring]
}

func newKeyring(k abi.Keyring, status int32) (*Keyring, error) {
	if err := failure(status); err != nil {
		return nil, err
	}
	keyring := new(Keyring)
	keyring.handle = own(keyring, k, abi.Keyring.Free)
	return keyring, nil
}

// borrow is handle.borrow for a keyring that a caller passes, perhaps nil.
func (k *Keyring) borrow() (abi.Keyring, error) {
	if k == nil {
		return abi.Keyring{}, ErrClosed
	}
	return k.handle.borrow()
}

// Import returns the keyring with one more key, given as a JWK (RFC 7517).
func (k *Keyring) Import(jwk []byte) (*Keyring, error) {
	keys, err := k.borrow()
	if err != nil {
		return nil, err
	}
	defer k.handle.giveBack()
	return newKeyring(keys.Import(abi.Text(jwk)))
}

// A Rotation says which key to replace, and how. Its zero value is refused,
// for it would invalidate every token that is in use.
type Rotation struct {
	// Purpose is the keys' purpose; if empty, [PurposeToken].
	Purpose Purpose

	// Algorithm is the new key's; if empty, the old key's.
	Algorithm Algorithm

	// Overlap is how long the old key goes on verifying, in whole seconds. Let
	// it be at least as long as the longest-lived token. Old keys for data at
	// rest ([PurposeEnvelope], [PurposeBlindIndex], [PurposeSettings]) have no
	// overlap: they open until an operator ends or destroys them.
	Overlap time.Duration

	// NoOverlap stops the old key at once; Overlap is then zero.
	NoOverlap bool

	// Now is the time of the rotation; if zero, the present.
	Now time.Time
}

// overlap is the overlap in seconds.
func (r *Rotation) overlap() (int64, error) {
	switch r.Purpose {
	case PurposeEnvelope, PurposeBlindIndex, PurposeSettings:
		if r.Overlap != 0 || r.NoOverlap {
			return 0, misconfigured("overlap", "a key for data at rest has none")
		}
		return 0, nil
	}
	if err := givenOrWaived("overlap", r.Overlap != 0, r.NoOverlap); err != nil {
		return 0, err
	}
	return whole(r.Overlap, time.Second)
}

// Rotate returns the keyring with a new primary key of a purpose. The old one
// verifies on until the overlap is over.
func (k *Keyring) Rotate(r Rotation) (*Keyring, error) {
	overlap, err := r.overlap()
	if err != nil {
		return nil, err
	}
	if r.Purpose == "" {
		r.Purpose = PurposeToken
	}
	keys, err := k.borrow()
	if err != nil {
		return nil, err
	}
	defer k.handle.giveBack()
	return newKeyring(keys.Rotate(string(r.Purpose), string(r.Algorithm), nowOr(r.Now).Unix(), overlap))
}

// SetStatus returns the keyring with another status of the key with this id:
// any but [KeyPrimary], which [Keyring.Rotate] gives. A key that only verifies
// does so until notAfter, without end if notAfter is zero.
func (k *Keyring) SetStatus(keyID string, status KeyStatus, notAfter time.Time) (*Keyring, error) {
	keys, err := k.borrow()
	if err != nil {
		return nil, err
	}
	defer k.handle.giveBack()
	return newKeyring(keys.SetStatus(keyID, string(status), optionalSeconds(notAfter)))
}

// Disable returns the keyring with the key with this id disabled: its tokens, and
// what was sealed under it, are refused with [ErrKeyDisabled].
func (k *Keyring) Disable(keyID string) (*Keyring, error) {
	return k.SetStatus(keyID, KeyDisabled, time.Time{})
}

// Destroy returns the keyring without the material of the key with this id: its
// tokens, and what was sealed under it, are refused with [ErrKeyDestroyed]. The key
// lives on in k until k and whatever was made with it are closed, and in every copy
// of [Keyring.SecretJWKS].
func (k *Keyring) Destroy(keyID string) (*Keyring, error) {
	return k.SetStatus(keyID, KeyDestroyed, time.Time{})
}

// Close releases the keyring. It returns nil, always.
func (k *Keyring) Close() error {
	if k != nil {
		k.handle.close()
	}
	return nil
}
