package donjon

import (
	"io"
	"slices"
	"sync"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A SealedReaderAt reads any part of an envelope, and opens no more than the
// chunks of 16 KiB that the part is in. An [io.SectionReader] makes a file of it,
// for [net/http.ServeContent], say; for small parts in a row, read that through a
// [bufio.Reader].
//
// All that it returns is authentic, and the length is that of what was sealed: the
// end of the envelope is verified when the SealedReaderAt is made.
type SealedReaderAt struct {
	handle *handle[abi.Reader]
	source io.ReaderAt
	size   int64
}

// NewReaderAt returns a reader of the parts of an envelope, which is the first
// size bytes of r. A nil opts means the zero [StreamOptions]; threads are of no
// use here.
func (s *Sealer) NewReaderAt(r io.ReaderAt, size int64, context Context, opts *StreamOptions) (*SealedReaderAt, error) {
	o, err := opts.checked()
	if err != nil {
		return nil, err
	}
	if size < 0 {
		return nil, ErrInvalidArgument
	}
	call, err := s.begin(context, o.Now)
	if err != nil {
		return nil, err
	}
	defer s.handle.giveBack()
	prefix := make([]byte, min(size, EnvelopePrefixMax))
	if err := readSealedAt(r, prefix, 0); err != nil {
		return nil, err
	}
	tail := make([]byte, min(size, abi.ReaderTailMax))
	if err := readSealedAt(r, tail, size-int64(len(tail))); err != nil {
		return nil, err
	}
	object, status := call.object.NewReader(call.context, call.now, abi.Text(prefix), abi.Text(tail), uint64(size))
	if err := failure(status); err != nil {
		return nil, err
	}
	reader := &SealedReaderAt{source: r}
	reader.handle = own(reader, object, abi.Reader.Free)
	length, status := object.Len()
	reader.size = int64(length) // less than size, which is an int64
	if err := failure(status); err != nil {
		return nil, err
	}
	return reader, nil
}

// readSealedAt fills p. That the envelope is shorter than it was said to be is no
// end for whoever reads the plaintext.
func readSealedAt(r io.ReaderAt, p []byte, offset int64) error {
	n, err := r.ReadAt(p, offset)
	switch {
	case n == len(p):
		return nil
	case err == nil || err == io.EOF:
		return ErrDecryptFailed
	default:
		return err
	}
}

// Size returns the length of what was sealed.
func (r *SealedReaderAt) Size() int64 {
	if r == nil {
		return 0
	}
	return r.size
}

// ReadAt implements [io.ReaderAt]. Calls may run at once.
func (r *SealedReaderAt) ReadAt(p []byte, offset int64) (n int, err error) {
	if r == nil {
		return 0, ErrClosed
	}
	object, err := r.handle.borrow()
	if err != nil {
		return 0, err
	}
	defer r.handle.giveBack()
	if offset < 0 {
		return 0, ErrInvalidArgument
	}
	if offset >= r.size {
		return 0, io.EOF
	}
	wanted := len(p)
	p = p[:min(int64(len(p)), r.size-offset)]
	sealed := sealedBlocks.Get().(*[]byte)
	defer sealedBlocks.Put(sealed)
	for n < len(p) {
		piece := p[n:min(len(p), n+blockSize)]
		if err := r.readPiece(object, sealed, piece, offset+int64(n)); err != nil {
			return n, err
		}
		n += len(piece)
	}
	if n < wanted {
		return n, io.EOF
	}
	return n, nil
}

// sealedBlocks are room for the chunks that a part is in.
var sealedBlocks = sync.Pool{New: func() any { return new([]byte) }}

// readPiece reads a piece of at most a block.
func (r *SealedReaderAt) readPiece(object abi.Reader, sealed *[]byte, piece []byte, offset int64) error {
	at, length, status := object.Span(uint64(offset), uint64(len(piece)))
	if err := failure(status); err != nil {
		return err
	}
	*sealed = slices.Grow((*sealed)[:0], int(length))[:length]
	if err := readSealedAt(r.source, *sealed, int64(at)); err != nil {
		return err
	}
	_, status = object.Read(uint64(offset), uint64(len(piece)), abi.Text(*sealed), piece)
	return failure(status)
}

// Close releases the key. It returns nil, always.
func (r *SealedReaderAt) Close() error {
	if r != nil {
		r.handle.close()
	}
	return nil
}
