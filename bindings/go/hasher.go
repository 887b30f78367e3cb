package donjon

import (
	"context"
	"runtime"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A Hasher hashes passwords with Argon2id and verifies hashes, in a bounded
// amount of memory that it keeps: however many log in at once, the others wait.
//
// A call waits for its turn until its context is done or [HasherOptions.MaxWait]
// is over. What has begun to hash runs to its end, whatever becomes of the
// context.
type Hasher struct {
	handle *handle[abi.Hasher]
	slots  *slots
}

// A Verification is what a password that matches says about its hash.
type Verification struct {
	// NeedsRehash says to replace the hash by [Hasher.Hash] of the same password:
	// it has other parameters or another pepper, or is of a legacy scheme. If that
	// is [ErrBusy], the password was right none the less, and the next log-in does.
	NeedsRehash bool

	// Truncated says that the password is longer than the 72 bytes that bcrypt
	// looks at: any other that begins with the same 72 matches as well. What
	// follows them was never verified, so do not hash it anew: let the user set
	// a password again.
	Truncated bool
}

// NewHasher makes a hasher.
func NewHasher(opts HasherOptions) (*Hasher, error) {
	config, err := opts.document()
	if err != nil {
		return nil, err
	}
	return newHasher(opts.Peppers, config)
}

// ParseHasher is [NewHasher] of the kernel's own configuration document, a JSON
// object that is the same in every language. Peppers may be nil.
func ParseHasher(peppers *Keyring, config []byte) (*Hasher, error) {
	return newHasher(peppers, abi.Text(config))
}

func newHasher(peppers *Keyring, config string) (*Hasher, error) {
	var keys abi.Keyring // none
	if peppers != nil {
		var err error
		if keys, err = peppers.borrow(); err != nil {
			return nil, err
		}
		defer peppers.handle.giveBack()
	}
	h, status := abi.NewHasher(keys, config)
	err := accepted(status, func() ([]byte, int32) { return abi.HasherDiagnose(keys, config) })
	if err != nil {
		return nil, err
	}
	// More threads than processors would finish no hash earlier.
	atOnce := min(int(h.Slots()), runtime.GOMAXPROCS(0))
	hasher := &Hasher{slots: newSlots(atOnce, time.Duration(h.MaxWaitMS())*time.Millisecond)}
	hasher.handle = own(hasher, h, abi.Hasher.Free)
	return hasher, nil
}

// Hash hashes password with a new salt. What it returns is what a service
// stores: a PHC string, of at most 512 bytes.
func (h *Hasher) Hash(ctx context.Context, password []byte) (string, error) {
	return h.HashAt(ctx, password, time.Now())
}

// HashAt is [Hasher.Hash] at another time, when the pepper must still be good.
// The zero time is [ErrInvalidArgument], here and in the other methods.
func (h *Hasher) HashAt(ctx context.Context, password []byte, now time.Time) (string, error) {
	var hash string
	err := h.run(ctx, now, func(hasher abi.Hasher, now int64) (status int32) {
		hash, status = hasher.Hash(abi.Text(password), now)
		return status
	})
	return hash, err
}

// Verify returns nil if password is the one that was hashed, and
// [ErrPasswordMismatch] if it is not. Where there is no such user and so no
// hash, call [Hasher.VerifyUnknownUser].
func (h *Hasher) Verify(ctx context.Context, hash string, password []byte) (Verification, error) {
	return h.VerifyAt(ctx, hash, password, time.Now())
}

// VerifyAt is [Hasher.Verify] at another time.
func (h *Hasher) VerifyAt(ctx context.Context, hash string, password []byte, now time.Time) (Verification, error) {
	var verdict abi.PasswordVerdict
	err := h.run(ctx, now, func(hasher abi.Hasher, now int64) (status int32) {
		verdict, status = hasher.Verify(hash, abi.Text(password), now)
		return status
	})
	if err != nil {
		return Verification{}, err
	}
	return Verification(verdict), nil
}

// VerifyUnknownUser takes as long as [Hasher.Verify] of a hash that the hasher
// made, and returns [ErrPasswordMismatch], so that a log-in does not tell who
// exists. It never returns nil.
func (h *Hasher) VerifyUnknownUser(ctx context.Context, password []byte) error {
	return h.VerifyUnknownUserAt(ctx, password, time.Now())
}

// VerifyUnknownUserAt is [Hasher.VerifyUnknownUser] at another time.
func (h *Hasher) VerifyUnknownUserAt(ctx context.Context, password []byte, now time.Time) error {
	return h.run(ctx, now, func(hasher abi.Hasher, now int64) int32 {
		return hasher.VerifyUnknownUser(abi.Text(password), now)
	})
}

// NeedsRehash reports whether hash should be replaced at the next log-in: see
// [Verification]. It hashes nothing.
func (h *Hasher) NeedsRehash(hash string) (bool, error) { return h.NeedsRehashAt(hash, time.Now()) }

// NeedsRehashAt is [Hasher.NeedsRehash] at another time.
func (h *Hasher) NeedsRehashAt(hash string, now time.Time) (bool, error) {
	if now.IsZero() {
		return false, ErrInvalidArgument
	}
	hasher, err := h.borrow()
	if err != nil {
		return false, err
	}
	defer h.handle.giveBack()
	needed, status := hasher.NeedsRehash(hash, now.Unix())
	return needed, failure(status)
}

// run waits for a slot and calls.
func (h *Hasher) run(ctx context.Context, now time.Time, call func(hasher abi.Hasher, now int64) (status int32)) error {
	if now.IsZero() {
		return ErrInvalidArgument // a time by which nothing has expired
	}
	hasher, err := h.borrow()
	if err != nil {
		return err
	}
	defer h.handle.giveBack()
	if err := h.slots.take(ctx); err != nil {
		return err
	}
	defer h.slots.giveBack()
	return failure(call(hasher, now.Unix()))
}

// borrow is handle.borrow for a hasher that a caller passes, perhaps nil.
func (h *Hasher) borrow() (abi.Hasher, error) {
	if h == nil {
		return abi.Hasher{}, ErrClosed
	}
	return h.handle.borrow()
}

// Close releases the memory and the peppers. It returns nil, always.
func (h *Hasher) Close() error {
	if h != nil {
		h.handle.close()
	}
	return nil
}
