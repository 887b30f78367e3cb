package donjon

import (
	"slices"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A BlindIndex makes an encrypted column searchable for equal values: beside the
// sealed value stands an HMAC of it, cut to so few bits that it says little.
//
// Whoever reads the database sees which rows have equal index values, and that
// tells much about a column of few values, such as a country or a diagnosis: do
// not index those. Of n rows, n/2^bits match a search though their value is
// another, so compare what was opened.
type BlindIndex struct {
	handle *handle[abi.BlindIndex]
	size   int // of a value, in bytes
}

// BlindIndexOptions say what a [BlindIndex] is over. Indices of different tenants,
// tables and columns have nothing in common.
type BlindIndexOptions struct {
	Tenant string // empty if there is one only
	Table  string
	Column string

	// Bits is how much of an HMAC an index value is: from 8 to 256, anything else
	// is [ErrInvalidArgument]. Fewer bits tell less, and find more rows that were
	// not meant.
	Bits uint32
}

// NewBlindIndex makes a blind index with keys, which need a primary key for
// [PurposeBlindIndex].
func NewBlindIndex(keys *Keyring, opts BlindIndexOptions) (*BlindIndex, error) {
	k, err := keys.borrow()
	if err != nil {
		return nil, err
	}
	defer keys.handle.giveBack()
	column := abi.BlindIndexColumn(opts)
	object, status := abi.NewBlindIndex(k, column)
	err = accepted(status, func() ([]byte, int32) { return abi.BlindIndexDiagnose(k, column) })
	if err != nil {
		return nil, err
	}
	index := &BlindIndex{size: int(1 + (opts.Bits+7)/8)} // the key's epoch, and the bits
	index.handle = own(index, object, abi.BlindIndex.Free)
	return index, nil
}

// Value returns what to store beside the sealed value. Values that shall be found
// by one another have to be made alike first: trimmed, in one case and one
// Unicode normal form.
func (i *BlindIndex) Value(value []byte) ([]byte, error) { return i.ValueAt(value, time.Now()) }

// ValueAt is [BlindIndex.Value] at another time, when the key must still be good.
func (i *BlindIndex) ValueAt(value []byte, now time.Time) ([]byte, error) {
	return i.ask(value, now, abi.BlindIndex.Value)
}

// Candidates returns what to search for: the index value under every key that may
// have made it, the newest first.
//
//	SELECT id, email FROM users WHERE email_index IN ($1, $2)
func (i *BlindIndex) Candidates(value []byte) ([][]byte, error) {
	return i.CandidatesAt(value, time.Now())
}

// CandidatesAt is [BlindIndex.Candidates] at another time.
func (i *BlindIndex) CandidatesAt(value []byte, now time.Time) ([][]byte, error) {
	list, err := i.ask(value, now, abi.BlindIndex.Candidates)
	if err != nil {
		return nil, err
	}
	return slices.Collect(slices.Chunk(list, i.size)), nil
}

func (i *BlindIndex) ask(value []byte, now time.Time, call func(i abi.BlindIndex, now int64, value string, size int) ([]byte, int32)) ([]byte, error) {
	if i == nil {
		return nil, ErrClosed
	}
	if now.IsZero() {
		return nil, ErrInvalidArgument
	}
	index, err := i.handle.borrow()
	if err != nil {
		return nil, err
	}
	defer i.handle.giveBack()
	answer, status := call(index, now.Unix(), abi.Text(value), i.size)
	return answer, failure(status)
}

// Close releases the keys. It returns nil, always.
func (i *BlindIndex) Close() error {
	if i != nil {
		i.handle.close()
	}
	return nil
}
