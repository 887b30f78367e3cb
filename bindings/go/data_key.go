package donjon

import (
	"io"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A DataKey seals cells: small values, such as those of one column or one
// subject, each 96 bytes longer than what is in it. It seals and opens as a
// [Sealer] does, and is stored once, wrapped by a Sealer. Whoever destroys what it is
// wrapped by makes all its cells unreadable: see [Keyring.Erasure].
type DataKey struct {
	sealer Sealer
}

// of is what seals for a data key, perhaps nil.
func (k *DataKey) of() *Sealer {
	if k == nil {
		return nil
	}
	return &k.sealer
}

// NewDataKey makes a data key for scope, such as a tenant or a subject, and
// returns it wrapped as well, to be stored: it opens for the same scope only.
func (s *Sealer) NewDataKey(scope string) (key *DataKey, wrapped []byte, err error) {
	return s.NewDataKeyAt(scope, time.Now())
}

// NewDataKeyAt is [Sealer.NewDataKey] at another time, when the sealer's key must
// still be good.
func (s *Sealer) NewDataKeyAt(scope string, now time.Time) (key *DataKey, wrapped []byte, err error) {
	object, seconds, err := s.borrowAt(now)
	if err != nil {
		return nil, nil, err
	}
	defer s.handle.giveBack()
	k, wrapped, status := object.DataKeyNew(scope, seconds)
	if key, err = newDataKey(k, status); err != nil {
		return nil, nil, err
	}
	return key, wrapped, nil
}

// OpenDataKey unwraps a data key of this scope.
func (s *Sealer) OpenDataKey(wrapped []byte, scope string) (*DataKey, error) {
	return s.OpenDataKeyAt(wrapped, scope, time.Now())
}

// OpenDataKeyAt is [Sealer.OpenDataKey] at another time, when the key that wraps it
// must still be good.
func (s *Sealer) OpenDataKeyAt(wrapped []byte, scope string, now time.Time) (*DataKey, error) {
	object, seconds, err := s.borrowAt(now)
	if err != nil {
		return nil, err
	}
	defer s.handle.giveBack()
	return newDataKey(object.DataKeyOpen(scope, seconds, abi.Text(wrapped)))
}

// RewrapDataKey returns a wrapped data key wrapped by to, which may be of any kind;
// nil means by the sealer itself. Its cells stay as they are.
func (s *Sealer) RewrapDataKey(wrapped []byte, scope string, to *Sealer) ([]byte, error) {
	return s.RewrapDataKeyAt(wrapped, scope, to, time.Now())
}

// RewrapDataKeyAt is [Sealer.RewrapDataKey] at another time, when both keys must
// still be good.
func (s *Sealer) RewrapDataKeyAt(wrapped []byte, scope string, to *Sealer, now time.Time) (rewrapped []byte, err error) {
	err = s.between(to, now, func(from, to abi.Sealer, now int64) (status int32) {
		rewrapped, status = from.DataKeyRewrap(to, scope, now, abi.Text(wrapped))
		return status
	})
	return rewrapped, err
}

func newDataKey(object abi.Sealer, status int32) (*DataKey, error) {
	if err := failure(status); err != nil {
		return nil, err
	}
	key := new(DataKey)
	if err := key.sealer.adopt(object); err != nil {
		return nil, err
	}
	return key, nil
}

// KeyID is as [Sealer.KeyID].
func (k *DataKey) KeyID() string { return k.of().KeyID() }

// Seal is as [Sealer.Seal].
func (k *DataKey) Seal(context Context, plaintext []byte) ([]byte, error) {
	return k.of().Seal(context, plaintext)
}

// SealAt is as [Sealer.SealAt].
func (k *DataKey) SealAt(context Context, plaintext []byte, now time.Time) ([]byte, error) {
	return k.of().SealAt(context, plaintext, now)
}

// AppendSeal is as [Sealer.AppendSeal].
func (k *DataKey) AppendSeal(dst []byte, context Context, plaintext []byte) ([]byte, error) {
	return k.of().AppendSeal(dst, context, plaintext)
}

// Open is as [Sealer.Open].
func (k *DataKey) Open(context Context, envelope []byte) ([]byte, error) {
	return k.of().Open(context, envelope)
}

// OpenAt is as [Sealer.OpenAt].
func (k *DataKey) OpenAt(context Context, envelope []byte, now time.Time) ([]byte, error) {
	return k.of().OpenAt(context, envelope, now)
}

// AppendOpen is as [Sealer.AppendOpen].
func (k *DataKey) AppendOpen(dst []byte, context Context, envelope []byte) ([]byte, error) {
	return k.of().AppendOpen(dst, context, envelope)
}

// Cell is as [Sealer.Cell].
func (k *DataKey) Cell(context Context) Cell { return k.of().Cell(context) }

// CellFunc is as [Sealer.CellFunc].
func (k *DataKey) CellFunc(context func() Context) Cell { return k.of().CellFunc(context) }

// NewWriter is as [Sealer.NewWriter].
func (k *DataKey) NewWriter(w io.Writer, context Context, opts *StreamOptions) (*SealWriter, error) {
	return k.of().NewWriter(w, context, opts)
}

// NewReader is as [Sealer.NewReader].
func (k *DataKey) NewReader(r io.Reader, context Context, opts *StreamOptions) (*SealedReader, error) {
	return k.of().NewReader(r, context, opts)
}

// NewReaderAt is as [Sealer.NewReaderAt].
func (k *DataKey) NewReaderAt(r io.ReaderAt, size int64, context Context, opts *StreamOptions) (*SealedReaderAt, error) {
	return k.of().NewReaderAt(r, size, context, opts)
}

// SealFile is as [Sealer.SealFile].
func (k *DataKey) SealFile(src, dst string, context Context, opts *StreamOptions) error {
	return k.of().SealFile(src, dst, context, opts)
}

// OpenFile is as [Sealer.OpenFile].
func (k *DataKey) OpenFile(src, dst string, context Context, opts *StreamOptions) error {
	return k.of().OpenFile(src, dst, context, opts)
}

// Close releases the key. It returns nil, always.
func (k *DataKey) Close() error { return k.of().Close() }
