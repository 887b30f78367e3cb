package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A RevocationSet is all that was revoked at some time, signed, for verifiers that do
// not ask the store: three to four bytes for each token, which are looked up in less
// than a microsecond. It refuses about one token in a million that was not revoked. It
// is safe for concurrent use.
type RevocationSet struct {
	handle *handle[abi.RevocationSet]
}

// OpenRevocationSet opens a set that [Revocations.Publish] has made, by the public keys
// of who made it. One that is older than lastSequence, that of the last set, is
// [ErrStateStale]; one whose time is over is [ErrRevocationSetStale].
func OpenRevocationSet(set []byte, keys *Keyring, lastSequence uint64) (*RevocationSet, error) {
	return OpenRevocationSetAt(set, keys, lastSequence, time.Now())
}

// OpenRevocationSetAt is [OpenRevocationSet] at another time.
func OpenRevocationSetAt(set []byte, keys *Keyring, lastSequence uint64, now time.Time) (*RevocationSet, error) {
	if now.IsZero() {
		return nil, ErrInvalidArgument
	}
	k, err := keys.borrow()
	if err != nil {
		return nil, err
	}
	defer keys.handle.giveBack()
	s, status := abi.RevocationSetOpen(abi.Text(set), k, lastSequence, now.Unix())
	if err := failure(status); err != nil {
		return nil, err
	}
	opened := new(RevocationSet)
	opened.handle = own(opened, s, abi.RevocationSet.Free)
	return opened, nil
}

// Check returns nil if a token lives, [ErrRevoked] if not, and [ErrRevocationSetStale]
// if the set's time is over. IsProbable says of a refusal that it may be that of another
// token: the store knows.
func (s *RevocationSet) Check(q RevocationQuery) (isProbable bool, err error) {
	return s.CheckAt(q, time.Now())
}

// CheckAt is [RevocationSet.Check] at another time.
func (s *RevocationSet) CheckAt(q RevocationQuery, now time.Time) (isProbable bool, err error) {
	if s == nil {
		return false, ErrClosed
	}
	set, err := s.handle.borrow()
	if err != nil {
		return false, err
	}
	defer s.handle.giveBack()
	isProbable, status := set.Check(q.kernel(), now.Unix())
	return isProbable, failure(status)
}

// RevocationSetInfo is what a set says of itself.
type RevocationSetInfo struct {
	Sequence             uint64
	IssuedAt, ValidUntil time.Time
	StoreSince           time.Time // tokens from before are refused; zero if none are for that
	IDs, Subjects, Keys  int       // how many are revoked: tokens and families, subjects, keys
	Bytes                int
	FalsePositiveRate    float64 // of one look-up of a token's id, or its family, that is not revoked
}

// Info returns what the set says of itself.
func (s *RevocationSet) Info() (*RevocationSetInfo, error) {
	if s == nil {
		return nil, ErrClosed
	}
	set, err := s.handle.borrow()
	if err != nil {
		return nil, err
	}
	defer s.handle.giveBack()
	text, status := set.Info()
	info, err := decoded[struct {
		Sequence          uint64  `json:"sequence"`
		IssuedAt          int64   `json:"issued_at_s"`
		ValidUntil        int64   `json:"valid_until_s"`
		StoreSince        int64   `json:"store_since_s"`
		IDs               int     `json:"ids"`
		Subjects          int     `json:"subjects"`
		Keys              int     `json:"keys"`
		Bytes             int     `json:"bytes"`
		FalsePositiveRate float64 `json:"false_positive_rate"`
	}](text, failure(status))
	if err != nil {
		return nil, err
	}
	read := &RevocationSetInfo{
		Sequence: info.Sequence, IssuedAt: time.Unix(info.IssuedAt, 0), ValidUntil: time.Unix(info.ValidUntil, 0),
		IDs: info.IDs, Subjects: info.Subjects, Keys: info.Keys, Bytes: info.Bytes, FalsePositiveRate: info.FalsePositiveRate,
	}
	if info.StoreSince != 0 {
		read.StoreSince = time.Unix(info.StoreSince, 0)
	}
	return read, nil
}

// Close releases the set, as soon as nobody uses it. It returns nil, always.
func (s *RevocationSet) Close() error {
	if s != nil {
		s.handle.close()
	}
	return nil
}
