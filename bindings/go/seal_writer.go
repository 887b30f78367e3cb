package donjon

import (
	"io"
	"sync"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A SealWriter seals what is written to it, of any length in constant memory.
//
// The envelope is whole when Close has returned nil; before, it opens for nobody.
// So call Close only after everything was written, and [SealWriter.Abort] in all
// other cases:
//
//	w, err := sealer.NewWriter(file, context, nil)
//	...
//	defer w.Abort() // does nothing after Close
//	if _, err := io.Copy(w, source); err != nil {
//		return err
//	}
//	return w.Close()
type SealWriter struct {
	handle *handle[abi.Encryptor]
	block  int

	mu       sync.Mutex
	sink     io.Writer
	out      []byte
	err      error // why the envelope can no longer be finished
	finished bool
}

// NewWriter returns a writer that seals to w. It does not close w. A nil opts
// means the zero [StreamOptions].
func (s *Sealer) NewWriter(w io.Writer, context Context, opts *StreamOptions) (*SealWriter, error) {
	o, err := opts.checked()
	if err != nil {
		return nil, err
	}
	call, err := s.begin(context, o.Now)
	if err != nil {
		return nil, err
	}
	defer s.handle.giveBack()
	encryptor, prefix, status := call.object.NewEncryptor(call.context, call.now, uint32(o.Threads))
	if err := failure(status); err != nil {
		return nil, err
	}
	block := o.block()
	writer := &SealWriter{sink: w, block: block, out: make([]byte, abi.StreamBound(block))}
	writer.handle = own(writer, encryptor, abi.Encryptor.Free)
	if err := writer.emit(prefix); err != nil {
		return nil, writer.fail(err)
	}
	return writer, nil
}

// Write seals p. After an error, which Close repeats, nothing more is written. If the
// writer below panics, the envelope is aborted.
func (w *SealWriter) Write(p []byte) (n int, err error) {
	if w == nil {
		return 0, ErrClosed
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for n < len(p) {
		piece := p[n:min(len(p), n+w.block)]
		if err := w.push(piece); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, w.err
}

// ReadFrom implements [io.ReaderFrom]: it seals all of r. If r fails or panics, the
// envelope is one that Close does not finish, lest a part be taken for the whole.
func (w *SealWriter) ReadFrom(r io.Reader) (n int64, err error) {
	if err := w.failure(); err != nil {
		return 0, err
	}
	whole := false
	defer func() {
		if !whole {
			w.Abort()
		}
	}()
	source := source{reader: r, block: make([]byte, w.block)}
	for {
		piece, err := source.next()
		if err == io.EOF {
			whole = true
			return n, nil
		}
		if err != nil {
			return n, w.abort(err)
		}
		written, err := w.Write(piece)
		n += int64(written)
		if err != nil {
			return n, err
		}
	}
}

// Close writes the end of the envelope. It returns nil if the envelope is whole,
// also when called again, and [ErrClosed] after [SealWriter.Abort].
func (w *SealWriter) Close() error {
	if w == nil {
		return ErrClosed
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished || w.err != nil {
		return w.err
	}
	if err := w.seal(abi.Encryptor.Finish); err != nil {
		return err
	}
	w.finished = true
	w.handle.close()
	return nil
}

// Abort releases the writer without finishing the envelope, which then opens for
// nobody. After Close it does nothing.
func (w *SealWriter) Abort() {
	if w != nil {
		_ = w.abort(ErrClosed)
	}
}

func (w *SealWriter) abort(reason error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fail(reason)
}

func (w *SealWriter) failure() error {
	if w == nil {
		return ErrClosed
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.handle == nil || w.finished {
		return ErrClosed
	}
	return w.err
}

// push seals a piece of at most a block. w.mu is held, here and below.
func (w *SealWriter) push(piece []byte) error {
	return w.seal(func(e abi.Encryptor, out []byte) (int, int32) { return e.Push(abi.Text(piece), out) })
}

func (w *SealWriter) seal(call func(e abi.Encryptor, out []byte) (int, int32)) error {
	if w.err != nil {
		return w.err
	}
	encryptor, err := w.handle.borrow()
	if err != nil {
		return err
	}
	defer w.handle.giveBack()
	returned := false
	defer func() {
		if !returned {
			_ = w.fail(ErrClosed) // what was sealed for the writer below is lost
		}
	}()
	n, status := call(encryptor, w.out)
	err = failure(status)
	if err == nil {
		err = w.emit(w.out[:n])
	}
	returned = true
	if err != nil {
		return w.fail(err)
	}
	return nil
}

func (w *SealWriter) emit(sealed []byte) error {
	_, err := writeAll(w.sink, sealed)
	return err
}

// fail keeps err, if it is the first that leaves a part, and returns it.
func (w *SealWriter) fail(err error) error {
	if w.err == nil && !w.finished {
		w.err = err
		w.handle.close()
	}
	return err
}

// writeAll writes all of p, or fails. It writes nothing if p is empty.
func writeAll(w io.Writer, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}
