package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A DataKey seals cells: small values, such as those of one column or one
// subject, each 96 bytes longer than what is in it. It has the methods of a
// [Sealer], and is stored once, wrapped by a Sealer. Whoever destroys what it is
// wrapped by makes all its cells unreadable: see [Keyring.Erasure].
type DataKey struct {
	sealer
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
	if err := key.adopt(object); err != nil {
		return nil, err
	}
	return key, nil
}

// Close releases the key. It returns nil, always.
func (k *DataKey) Close() error {
	if k != nil {
		k.handle.close()
	}
	return nil
}
