package donjon

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A SealedReader opens an envelope of any length in constant memory.
//
// All that it returns is authentic; that it is the whole is certain only with
// [io.EOF]. A part of an envelope ends in [ErrDecryptFailed], and an error of the
// reader below is passed on. So do not act on what was read before its end.
type SealedReader struct {
	handle *handle[abi.Decryptor]
	closed atomic.Bool

	mu     sync.Mutex
	source source
	sealed []byte // read already, to be opened first
	out    []byte
	plain  []byte // the part of out that nobody has had yet
	err    error  // after plain
}

// NewReader returns a reader of what is in the envelope that it reads from r, to
// the very end of r: bytes that follow the envelope are an error. A nil opts means
// the zero [StreamOptions].
func (s *Sealer) NewReader(r io.Reader, context Context, opts *StreamOptions) (*SealedReader, error) {
	o, err := opts.checked()
	if err != nil {
		return nil, err
	}
	call, err := s.begin(context, o.Now)
	if err != nil {
		return nil, err
	}
	defer s.handle.giveBack()
	beginning := source{reader: r, block: make([]byte, EnvelopePrefixMax)}
	prefix, err := beginning.fill()
	if err != nil {
		return nil, err
	}
	decryptor, consumed, status := call.object.NewDecryptor(call.context, call.now, uint32(o.Threads), abi.Text(prefix))
	if err := failure(status); err != nil {
		return nil, err
	}
	block := o.block()
	reader := &SealedReader{
		source: source{reader: r, block: make([]byte, block), err: beginning.err},
		sealed: prefix[consumed:],
		out:    make([]byte, abi.StreamBound(block)),
	}
	reader.handle = own(reader, decryptor, abi.Decryptor.Free)
	return reader, nil
}

// Read implements [io.Reader].
func (r *SealedReader) Read(p []byte) (n int, err error) {
	if r == nil {
		return 0, ErrClosed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for n == 0 && len(p) > 0 {
		switch {
		case r.isClosed():
			return 0, ErrClosed
		case len(r.plain) > 0:
			n = copy(p, r.plain)
			r.plain = r.plain[n:]
		case r.err != nil:
			return 0, r.err
		case len(p) < len(r.out):
			r.plain = r.out[:r.step(r.out)]
		default:
			n = r.step(p)
		}
	}
	return n, nil
}

// WriteTo implements [io.WriterTo].
func (r *SealedReader) WriteTo(w io.Writer) (n int64, err error) {
	if r == nil {
		return 0, ErrClosed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case r.isClosed():
			return n, ErrClosed
		case len(r.plain) > 0:
			written, err := writeAll(w, r.plain)
			n += int64(written)
			r.plain = r.plain[written:]
			if err != nil {
				return n, err
			}
		case r.err == io.EOF:
			return n, nil
		case r.err != nil:
			return n, r.err
		default:
			r.plain = r.out[:r.step(r.out)]
		}
	}
}

func (r *SealedReader) isClosed() bool { return r.handle == nil || r.closed.Load() }

// step opens what comes next, into out, and returns how much it was. If something
// ends here, r.err says what.
func (r *SealedReader) step(out []byte) int {
	n, err := r.open(out)
	if err != nil {
		r.err = err
		r.handle.close()
	}
	return n
}

func (r *SealedReader) open(out []byte) (int, error) {
	sealed, err := r.next()
	if err != nil && err != io.EOF {
		return 0, err
	}
	decryptor, closed := r.handle.borrow()
	if closed != nil {
		return 0, closed
	}
	defer r.handle.giveBack()
	var n int
	var status int32
	if err == io.EOF {
		n, status = decryptor.Finish(out)
	} else {
		n, status = decryptor.Push(abi.Text(sealed), out)
	}
	if failed := failure(status); failed != nil {
		return 0, failed
	}
	return n, err
}

// next returns sealed bytes.
func (r *SealedReader) next() ([]byte, error) {
	if sealed := r.sealed; len(sealed) > 0 {
		r.sealed = nil
		return sealed, nil
	}
	return r.source.next()
}

// Close releases the key. It does not close the reader below. It returns nil,
// always: that the whole was read is for [io.EOF] to say.
func (r *SealedReader) Close() error {
	if r != nil {
		r.closed.Store(true)
		r.handle.close()
	}
	return nil
}
