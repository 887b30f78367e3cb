package donjon

import (
	"slices"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// NeedsRewrap reports whether an envelope or a wrapped data key should be wrapped
// anew: by another key than the one that new ones name. The first
// [EnvelopePrefixMax] bytes of it suffice.
func (s *Sealer) NeedsRewrap(envelope []byte) (bool, error) {
	object, err := s.borrow()
	if err != nil {
		return false, err
	}
	defer s.handle.giveBack()
	needed, status := object.NeedsRewrap(abi.Text(envelope))
	return needed, failure(status)
}

// Rewrap returns envelope with its data key wrapped by to, which is of the same
// kind; nil means by the sealer itself, whose primary key is newer than the
// envelope's. The payload is copied as it is.
func (s *Sealer) Rewrap(envelope []byte, to *Sealer) ([]byte, error) {
	return s.RewrapAt(envelope, to, time.Now())
}

// RewrapAt is [Sealer.Rewrap] at another time, when both keys must still be good.
func (s *Sealer) RewrapAt(envelope []byte, to *Sealer, now time.Time) ([]byte, error) {
	header, old, err := s.rewrap(envelope, to, now)
	if err != nil {
		return nil, err
	}
	return slices.Concat(header, envelope[old:]), nil
}

// rewrap returns the header that replaces the first old bytes of an envelope.
func (s *Sealer) rewrap(prefix []byte, to *Sealer, now time.Time) (header []byte, old int, err error) {
	err = s.between(to, now, func(from, to abi.Sealer, now int64) (status int32) {
		header, old, status = from.Rewrap(to, now, abi.Text(prefix))
		return status
	})
	return header, old, err
}

// between calls with s and to, which is s itself if nil.
func (s *Sealer) between(to *Sealer, now time.Time, call func(from, to abi.Sealer, now int64) (status int32)) error {
	if now.IsZero() {
		return ErrInvalidArgument
	}
	from, err := s.borrow()
	if err != nil {
		return err
	}
	defer s.handle.giveBack()
	if to == nil {
		to = s
	}
	target, err := to.borrow()
	if err != nil {
		return err
	}
	defer to.handle.giveBack()
	return failure(call(from, target, now.Unix()))
}
