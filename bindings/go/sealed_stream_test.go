package donjon_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/donjon-security/donjon/bindings/go"
)

// streamSizes are those around the borders of chunks and of what goes through the
// kernel at once.
var streamSizes = append([]int{64 << 10, 128<<10 - 1, 128 << 10, 128<<10 + 1, 4 << 20}, sizes...)

func sealStream(t testing.TB, s sealing, plaintext []byte, opts *donjon.StreamOptions, write func(w *donjon.SealWriter, p []byte)) []byte {
	t.Helper()
	var envelope bytes.Buffer
	w, err := s.NewWriter(&envelope, here, opts)
	ok(t, err)
	defer w.Abort()
	write(w, plaintext)
	ok(t, w.Close())
	return envelope.Bytes()
}

func openStream(s sealing, r io.Reader, opts *donjon.StreamOptions) ([]byte, error) {
	sealed, err := s.NewReader(r, here, opts)
	if err != nil {
		return nil, err
	}
	defer sealed.Close()
	return io.ReadAll(sealed)
}

func TestStreamsAndEnvelopesAreTheSame(t *testing.T) {
	all := func(w *donjon.SealWriter, p []byte) {
		n, err := w.Write(p)
		ok(t, err)
		equal(t, "written", n, len(p))
	}
	for source, s := range sealings(t) {
		for _, size := range streamSizes {
			for _, threads := range []int{1, 3} {
				opts, what := &donjon.StreamOptions{Threads: threads}, fmt.Sprintf("%s, %d, %d threads", source, size, threads)
				opened, err := s.Open(here, sealStream(t, s, text(size), opts, all))
				ok(t, err)
				same(t, what+", written", opened, text(size))
				opened, err = openStream(s, bytes.NewReader(sealed(t, s, text(size))), opts)
				ok(t, err)
				same(t, what+", read", opened, text(size))
			}
		}
	}
}

// Splits make no difference.
func TestStreamsOfAnySplitAreTheSame(t *testing.T) {
	s := newDataKey(t)
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range sizes {
		plaintext := text(size)
		envelope := sealStream(t, s, plaintext, nil, func(w *donjon.SealWriter, p []byte) {
			for len(p) > 0 {
				n, err := w.Write(p[:random.IntN(len(p)+1)])
				ok(t, err)
				p = p[n:]
			}
		})
		for name, reader := range map[string]func(io.Reader) io.Reader{
			"whole":       func(r io.Reader) io.Reader { return r },
			"byte-wise":   iotest.OneByteReader,
			"by halves":   iotest.HalfReader,
			"end at once": iotest.DataErrReader,
			"random":      func(r io.Reader) io.Reader { return randomReader{r, random} },
		} {
			opened, err := openStream(s, reader(bytes.NewReader(envelope)), nil)
			ok(t, err)
			same(t, fmt.Sprintf("%d, %s", size, name), opened, plaintext)

			source, err := s.NewReader(reader(bytes.NewReader(envelope)), here, nil)
			ok(t, err)
			if err := iotest.TestReader(source, plaintext); err != nil {
				t.Errorf("%d, %s: %v", size, name, err)
			}

			copied := sealStream(t, s, plaintext, nil, func(w *donjon.SealWriter, p []byte) {
				n, err := io.Copy(w, reader(bytes.NewReader(p)))
				ok(t, err)
				equal(t, "copied", n, int64(len(p)))
			})
			opened, err = s.Open(here, copied)
			ok(t, err)
			same(t, name+", copied", opened, plaintext)
		}
	}
}

// randomReader reads as much as chance has it, sometimes nothing.
type randomReader struct {
	r      io.Reader
	random *rand.Rand
}

func (r randomReader) Read(p []byte) (int, error) {
	return r.r.Read(p[:r.random.IntN(min(len(p), 40_000)+1)])
}

// What is read of an envelope that is not whole is a part of the plaintext, and the
// end of it is ErrDecryptFailed, never io.EOF.
func TestPartOfAStreamIsNeverTheWhole(t *testing.T) {
	s := newDataKey(t)
	plaintext := text(3 * 16384)
	envelope := sealed(t, s, plaintext)
	cuts := []int{len(envelope) - 1, len(envelope) - 16, len(envelope) - 17, len(envelope) - 16 - 16400, 96, 97}
	for n := 0; n < len(envelope); n += 617 {
		cuts = append(cuts, n)
	}
	for _, n := range cuts {
		for name, reader := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "by halves": iotest.HalfReader, "end at once": iotest.DataErrReader,
		} {
			part, err := openStream(s, reader(bytes.NewReader(envelope[:n])), nil)
			if !errors.Is(err, donjon.ErrDecryptFailed) || !bytes.HasPrefix(plaintext, part) {
				t.Errorf("%d bytes, %s: %d bytes, %v", n, name, len(part), err)
			}
		}
	}
	for i := 0; i < len(envelope); i += 389 {
		flipped := bytes.Clone(envelope)
		flipped[i] ^= 1
		part, err := openStream(s, bytes.NewReader(flipped), nil)
		if !errors.Is(err, donjon.ErrDecryptFailed) || !bytes.HasPrefix(plaintext, part) {
			t.Errorf("byte %d flipped: %d bytes, %v", i, len(part), err)
		}
	}
	part, err := openStream(s, io.MultiReader(bytes.NewReader(envelope), strings.NewReader("x")), nil)
	if !errors.Is(err, donjon.ErrDecryptFailed) || !bytes.HasPrefix(plaintext, part) {
		t.Errorf("a byte more: %d bytes, %v", len(part), err)
	}
	for name, context := range elsewhere {
		if _, err := s.NewReader(bytes.NewReader(envelope), context, nil); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEndOfAStreamIsSaidAgain(t *testing.T) {
	s := newDataKey(t)
	envelope := sealed(t, s, text(20_000))
	for want, bytes := range map[error]io.Reader{
		io.EOF:                  bytes.NewReader(envelope),
		donjon.ErrDecryptFailed: bytes.NewReader(envelope[:len(envelope)-1]),
	} {
		r, err := s.NewReader(bytes, here, nil)
		ok(t, err)
		_, _ = io.Copy(io.Discard, r)
		for range 3 {
			if n, err := r.Read(make([]byte, 1)); n != 0 || err != want {
				t.Errorf("%d bytes, %v, want %v", n, err, want)
			}
		}
		if n, err := r.Read(nil); n != 0 || err != nil {
			t.Errorf("nothing: %d bytes, %v", n, err)
		}
		r.Close()
		if _, err := r.Read(make([]byte, 1)); err != donjon.ErrClosed {
			t.Errorf("after Close: %v", err)
		}
	}
}

var errBroken = errors.New("broken")

// An error of the reader below is none of the envelope, and is no end either.
func TestErrorOfTheReaderBelowIsPassedOn(t *testing.T) {
	s := newDataKey(t)
	envelope := sealed(t, s, text(1<<20))
	for _, want := range []error{errBroken, io.ErrUnexpectedEOF, io.ErrClosedPipe} {
		for _, n := range []int{0, 10, 6336, 6337, 20_000, 700_000, len(envelope)} {
			broken := io.MultiReader(bytes.NewReader(envelope[:n]), iotest.ErrReader(want))
			if _, err := openStream(s, broken, nil); err != want {
				t.Errorf("after %d bytes: %v, want %v", n, err, want)
			}
		}
	}
	if _, err := openStream(s, iotest.TimeoutReader(iotest.HalfReader(bytes.NewReader(envelope))), nil); err != iotest.ErrTimeout {
		t.Errorf("timeout: %v", err)
	}
	if _, err := openStream(s, lazyReader{}, nil); err != io.ErrNoProgress {
		t.Errorf("a reader that reads nothing: %v", err)
	}
}

type lazyReader struct{}

func (lazyReader) Read([]byte) (int, error) { return 0, nil }

func TestWriterThatIsNotClosedLeavesNothingThatOpens(t *testing.T) {
	s := newDataKey(t)
	for _, size := range sizes {
		var envelope bytes.Buffer
		w, err := s.NewWriter(&envelope, here, nil)
		ok(t, err)
		_, err = w.Write(text(size))
		ok(t, err)
		opened, err := s.Open(here, envelope.Bytes())
		mustNotOpen(t, "not closed", opened, err)
		w.Abort()
		w.Abort()
		if err := w.Close(); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("closing what was aborted: %v", err)
		}
		opened, err = s.Open(here, envelope.Bytes())
		mustNotOpen(t, "aborted", opened, err)
	}
}

func TestWriterIsClosedOnce(t *testing.T) {
	s := newDataKey(t)
	var envelope bytes.Buffer
	w, err := s.NewWriter(&envelope, here, nil)
	ok(t, err)
	_, err = io.WriteString(w, "secret")
	ok(t, err)
	for range 3 {
		ok(t, w.Close())
		w.Abort()
	}
	if _, err := w.Write([]byte("more")); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("written after Close: %v", err)
	}
	if _, err := w.ReadFrom(strings.NewReader("more")); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("copied after Close: %v", err)
	}
	ok(t, w.Close())
	opened, err := s.Open(here, envelope.Bytes())
	ok(t, err)
	equal(t, "opened", string(opened), "secret")
}

// A deferred Close does not make the whole of a part.
func TestWriterWhoseSourceFailsDoesNotFinish(t *testing.T) {
	s := newDataKey(t)
	for _, want := range []error{errBroken, io.ErrUnexpectedEOF} {
		var envelope bytes.Buffer
		w, err := s.NewWriter(&envelope, here, nil)
		ok(t, err)
		n, err := io.Copy(w, io.MultiReader(bytes.NewReader(text(200_000)), iotest.ErrReader(want)))
		if err != want || n != 200_000 {
			t.Errorf("copied %d: %v", n, err)
		}
		if err := w.Close(); err != want {
			t.Errorf("closed: %v", err)
		}
		opened, err := s.Open(here, envelope.Bytes())
		mustNotOpen(t, "a part", opened, err)
	}
}

// failingWriter takes so many bytes, and then fails.
type failingWriter struct {
	left  int
	short bool
}

func (w *failingWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	w.left -= n
	if n < len(p) && !w.short {
		return n, errBroken
	}
	return n, nil
}

func TestErrorOfTheWriterBelowStays(t *testing.T) {
	s := newDataKey(t)
	for _, short := range []bool{false, true} {
		want := errBroken
		if short {
			want = io.ErrShortWrite
		}
		for _, left := range []int{0, 50, 100, 20_000, 100_000} {
			w, err := s.NewWriter(&failingWriter{left, short}, here, nil)
			if err == nil {
				_, err = w.Write(text(300_000))
				if closing := w.Close(); closing != want {
					t.Errorf("%d: closed: %v", left, closing)
				}
			}
			if err != want {
				t.Errorf("%d: %v, want %v", left, err, want)
			}
		}
	}
	w, err := s.NewWriter(&failingWriter{left: 18_000}, here, nil)
	ok(t, err)
	_, err = w.Write(text(19_000))
	ok(t, err)
	if err := w.Close(); err != errBroken {
		t.Errorf("the end does not fit: %v", err)
	}

	r, err := s.NewReader(bytes.NewReader(sealed(t, s, text(300_000))), here, nil)
	ok(t, err)
	if _, err := io.Copy(&failingWriter{left: 1000}, r); err != errBroken {
		t.Errorf("copied: %v", err)
	}
}

// panickingWriter panics at one of its writes, as a handler of net/http may.
type panickingWriter struct {
	bytes.Buffer
	left int
}

func (w *panickingWriter) Write(p []byte) (int, error) {
	if w.left--; w.left == -1 {
		panic(errBroken)
	}
	return w.Buffer.Write(p)
}

func TestWriterIsAbortedWhenTheOneBelowPanics(t *testing.T) {
	s := newDataKey(t)
	for left := range 4 {
		for name, write := range map[string]func(w *donjon.SealWriter){
			"written":     func(w *donjon.SealWriter) { _, _ = w.Write(text(500_000)) },
			"copied":      func(w *donjon.SealWriter) { _, _ = io.Copy(w, iotest.HalfReader(bytes.NewReader(text(500_000)))) },
			"the end":     func(w *donjon.SealWriter) { _, _ = w.Write(text(100)); _ = w.Close() },
			"aborted too": func(w *donjon.SealWriter) { defer w.Abort(); _, _ = w.Write(text(500_000)) },
		} {
			if left > 0 && name == "the end" {
				continue // which is written at once
			}
			below := &panickingWriter{left: 1 + left}
			w, err := s.NewWriter(below, here, nil)
			ok(t, err)
			panics(t, func() { write(w) })
			if _, err := w.Write(text(500_000)); !errors.Is(err, donjon.ErrClosed) {
				t.Errorf("%s, %d: written on: %v", name, left, err)
			}
			if err := w.Close(); !errors.Is(err, donjon.ErrClosed) {
				t.Errorf("%s, %d: closed: %v", name, left, err)
			}
			opened, err := s.Open(here, below.Bytes())
			mustNotOpen(t, name, opened, err)
		}
	}
}

// panickingReader panics when it has been read.
type panickingReader struct{ io.Reader }

func (r panickingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF {
		panic(errBroken)
	}
	return n, err
}

func TestWriterIsAbortedWhenItsSourcePanics(t *testing.T) {
	s := newDataKey(t)
	var envelope bytes.Buffer
	w, err := s.NewWriter(&envelope, here, nil)
	ok(t, err)
	panics(t, func() { _, _ = w.ReadFrom(panickingReader{bytes.NewReader(text(200_000))}) })
	if err := w.Close(); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	opened, err := s.Open(here, envelope.Bytes())
	mustNotOpen(t, "a part", opened, err)
}

func panics(t testing.TB, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		equal(t, "panic", recover(), any(errBroken))
	}()
	f()
}

func TestThreadsAreBounded(t *testing.T) {
	s := newDataKey(t)
	for _, threads := range []int{-1, 65, 1 << 33} {
		opts := &donjon.StreamOptions{Threads: threads}
		_, writing := s.NewWriter(new(bytes.Buffer), here, opts)
		_, reading := s.NewReader(new(bytes.Buffer), here, opts)
		for _, err := range []error{writing, reading} {
			if !errors.Is(err, donjon.ErrInvalidArgument) {
				t.Errorf("%d: %v", threads, err)
			}
		}
	}
}
