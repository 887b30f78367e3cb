package donjon

import (
	"strings"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// NoTTL is the age of a Fernet token that is not looked at.
const NoTTL time.Duration = -1

// A Fernet makes and reads Fernet tokens, for data that Python's cryptography
// package wrote or has to read. New data is better off with a [Sealer]: a Fernet
// token is not bound to where it belongs, and is a third longer than what is in
// it.
type Fernet struct {
	handle *handle[abi.Fernet]
}

// NewFernet makes a Fernet of one or several keys, each the base64url text of 32
// bytes; a text of several, separated by commas, counts as those. The first makes
// tokens, all of them read.
func NewFernet(keys ...string) (*Fernet, error) {
	object, status := abi.NewFernet(strings.Join(keys, ","))
	if err := failure(status); err != nil {
		return nil, err
	}
	f := new(Fernet)
	f.handle = own(f, object, abi.Fernet.Free)
	return f, nil
}

// GenerateFernetKey returns a new key.
func GenerateFernetKey() (string, error) {
	key, status := abi.FernetGenerateKey()
	return key, failure(status)
}

// DeriveFernetKey derives a key from a password, by PBKDF2 with HMAC-SHA-256. The
// salt is the one that the data was written with: without it, the data is lost.
func DeriveFernetKey(password, salt []byte, iterations uint32) (string, error) {
	key, status := abi.FernetDeriveKey(abi.Text(password), abi.Text(salt), iterations)
	return key, failure(status)
}

// Encrypt returns plaintext as a token.
func (f *Fernet) Encrypt(plaintext []byte) (string, error) { return f.EncryptAt(plaintext, time.Now()) }

// EncryptAt is [Fernet.Encrypt] at another time, which the token says.
func (f *Fernet) EncryptAt(plaintext []byte, now time.Time) (token string, err error) {
	err = f.at(now, func(f abi.Fernet, now int64) (status int32) {
		token, status = f.Encrypt(abi.Text(plaintext), now)
		return status
	})
	return token, err
}

// Decrypt returns what is in a token that is at most ttl old, in whole seconds, or
// of any age with [NoTTL]. Every token that is not good, too old ones among them,
// is [ErrDecryptFailed].
func (f *Fernet) Decrypt(token string, ttl time.Duration) ([]byte, error) {
	return f.DecryptAt(token, ttl, time.Now())
}

// DecryptAt is [Fernet.Decrypt] at another time.
func (f *Fernet) DecryptAt(token string, ttl time.Duration, now time.Time) (plaintext []byte, err error) {
	seconds := int64(abi.NoTTL)
	if ttl != NoTTL {
		if seconds, err = whole(ttl, time.Second); err != nil || seconds < 0 {
			return nil, ErrInvalidArgument
		}
	}
	err = f.at(now, func(f abi.Fernet, now int64) (status int32) {
		plaintext, status = f.Decrypt(token, seconds, now)
		return status
	})
	return plaintext, err
}

// Rotate returns a token, of any age, as one of the first key, which says the same
// time as before.
func (f *Fernet) Rotate(token string) (string, error) {
	fernet, err := f.borrow()
	if err != nil {
		return "", err
	}
	defer f.handle.giveBack()
	rotated, status := fernet.Rotate(token)
	return rotated, failure(status)
}

// Timestamp returns when a token was made, if it is authentic.
func (f *Fernet) Timestamp(token string) (time.Time, error) {
	fernet, err := f.borrow()
	if err != nil {
		return time.Time{}, err
	}
	defer f.handle.giveBack()
	made, status := fernet.Timestamp(token)
	if err := failure(status); err != nil {
		return time.Time{}, err
	}
	return time.Unix(made, 0), nil
}

func (f *Fernet) at(now time.Time, call func(f abi.Fernet, now int64) (status int32)) error {
	if now.IsZero() {
		return ErrInvalidArgument
	}
	fernet, err := f.borrow()
	if err != nil {
		return err
	}
	defer f.handle.giveBack()
	return failure(call(fernet, now.Unix()))
}

// borrow is handle.borrow, also of nil.
func (f *Fernet) borrow() (abi.Fernet, error) {
	if f == nil {
		return abi.Fernet{}, ErrClosed
	}
	return f.handle.borrow()
}

// Close releases the keys. It returns nil, always.
func (f *Fernet) Close() error {
	if f != nil {
		f.handle.close()
	}
	return nil
}
