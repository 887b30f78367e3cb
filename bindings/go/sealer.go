package donjon

import (
	"slices"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A Sealer seals data at rest and opens it, under one source of keys: a keyring,
// a passphrase, or a key that a KMS or HSM wraps. Each envelope has a data key of
// its own, wrapped in its header, and so can change its key-encryption key
// without its payload being touched.
//
// An envelope is some 200 bytes longer than what is in it, and 16 more for each 16
// KiB (with a KMS, by what that makes of the key). It can be kept anywhere: whoever
// changes a bit of it, cuts it off or moves it to where another [Context] belongs
// gets [ErrDecryptFailed] from whoever opens it.
//
// For many small values, such as the cells of a column, a [DataKey] costs less.
type Sealer struct {
	handle *handle[abi.Sealer]
	keyID  string

	// overhead is by how much an envelope of one chunk is longer than what is in it.
	overhead int
}

// adopt makes s the owner of object.
func (s *Sealer) adopt(object abi.Sealer) error {
	s.handle = own(s, object, abi.Sealer.Free)
	var status int32
	if s.keyID, status = object.KeyID(); status == abi.StatusOK {
		s.overhead, status = object.SealedLen(0)
	}
	return failure(status)
}

// KeyID returns the id of the key that new envelopes name. It is empty for a
// passphrase.
func (s *Sealer) KeyID() string {
	if s == nil {
		return ""
	}
	return s.keyID
}

// Seal returns plaintext as an envelope that opens in context only. It needs the
// whole in memory; larger things go through [Sealer.NewWriter].
func (s *Sealer) Seal(context Context, plaintext []byte) ([]byte, error) {
	return s.SealAt(context, plaintext, time.Now())
}

// SealAt is [Sealer.Seal] at another time, when the key must still be good. The
// zero time is [ErrInvalidArgument], here and in all such methods.
func (s *Sealer) SealAt(context Context, plaintext []byte, now time.Time) ([]byte, error) {
	return s.appendSeal([]byte{}, context, plaintext, now)
}

// AppendSeal is [Sealer.Seal] that appends to dst. The capacity of dst may not
// overlap plaintext.
func (s *Sealer) AppendSeal(dst []byte, context Context, plaintext []byte) ([]byte, error) {
	return s.appendSeal(dst, context, plaintext, time.Now())
}

func (s *Sealer) appendSeal(dst []byte, context Context, plaintext []byte, now time.Time) ([]byte, error) {
	call, err := s.begin(context, now)
	if err != nil {
		return nil, err
	}
	defer s.handle.giveBack()
	size, status := s.sealedLen(call.object, len(plaintext))
	if err := failure(status); err != nil {
		return nil, err
	}
	return appended(dst, size, func(out []byte) (int, int32) {
		return call.object.Seal(call.context, call.now, abi.Text(plaintext), out)
	})
}

// sealedLen asks the kernel only where there may be more than one chunk.
func (s *Sealer) sealedLen(object abi.Sealer, plaintext int) (int, int32) {
	if plaintext < abi.ChunkLen {
		return s.overhead + plaintext, abi.StatusOK
	}
	return object.SealedLen(plaintext)
}

// Open returns what was sealed, if envelope is whole and belongs in context, and
// otherwise [ErrDecryptFailed], whatever is wrong with it. That its key is not in
// the keyring, or may not be used any more, is [ErrUnknownKey] and its kin.
func (s *Sealer) Open(context Context, envelope []byte) ([]byte, error) {
	return s.OpenAt(context, envelope, time.Now())
}

// OpenAt is [Sealer.Open] at another time, when the key must still be good.
func (s *Sealer) OpenAt(context Context, envelope []byte, now time.Time) ([]byte, error) {
	return s.appendOpen([]byte{}, context, envelope, now)
}

// AppendOpen is [Sealer.Open] that appends to dst. The capacity of dst may not
// overlap envelope.
func (s *Sealer) AppendOpen(dst []byte, context Context, envelope []byte) ([]byte, error) {
	return s.appendOpen(dst, context, envelope, time.Now())
}

func (s *Sealer) appendOpen(dst []byte, context Context, envelope []byte, now time.Time) ([]byte, error) {
	call, err := s.begin(context, now)
	if err != nil {
		return nil, err
	}
	defer s.handle.giveBack()
	// Exact, or a bit more, unless the envelope has a shorter header than new ones.
	size := max(0, len(envelope)-s.overhead)
	return appended(dst, size, func(out []byte) (int, int32) {
		return call.object.Open(call.context, call.now, abi.Text(envelope), out)
	})
}

// appended appends what call fills a buffer of size bytes with, or a larger one
// if the kernel asks for it.
func appended(dst []byte, size int, call func(out []byte) (int, int32)) ([]byte, error) {
	for range 2 {
		if cap(dst) == 0 {
			dst = make([]byte, 0, size)
		}
		dst = slices.Grow(dst, size)
		n, status := call(dst[len(dst) : len(dst)+size])
		if status == abi.StatusOK {
			return dst[:len(dst)+n], nil
		}
		if status != abi.StatusBufferTooSmall {
			return nil, failure(status)
		}
		size = n
	}
	return nil, ErrInternal
}

// A sealing is what every call of a sealer begins with.
type sealing struct {
	object  abi.Sealer
	context string
	now     int64
}

// begin borrows the sealer, until handle.giveBack.
func (s *Sealer) begin(context Context, now time.Time) (call sealing, err error) {
	if call.context, err = context.kernel(); err != nil {
		return call, err
	}
	call.object, call.now, err = s.borrowAt(now)
	return call, err
}

func (s *Sealer) borrowAt(now time.Time) (abi.Sealer, int64, error) {
	if now.IsZero() {
		return abi.Sealer{}, 0, ErrInvalidArgument // a time by which nothing has expired
	}
	object, err := s.borrow()
	return object, now.Unix(), err
}

// borrow is handle.borrow for a sealer that a caller passes, perhaps nil.
func (s *Sealer) borrow() (abi.Sealer, error) {
	if s == nil {
		return abi.Sealer{}, ErrClosed
	}
	return s.handle.borrow()
}
