package donjon_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/donjon-security/donjon/bindings/go"
)

func readerAt(t testing.TB, s sealing, envelope []byte) *donjon.SealedReaderAt {
	t.Helper()
	r, err := s.NewReaderAt(bytes.NewReader(envelope), int64(len(envelope)), here, nil)
	ok(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

// A bytes.Reader of the plaintext is the model.
func TestPartsAreThoseOfThePlaintext(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for source, s := range sealings(t) {
		for _, size := range streamSizes {
			plaintext := text(size)
			r, model := readerAt(t, s, sealed(t, s, plaintext)), bytes.NewReader(plaintext)
			equal(t, "size", r.Size(), int64(size))
			for range 50 {
				offset := int64(random.IntN(size + 20))
				p, want := make([]byte, random.IntN(40_000)), make([]byte, 40_000)
				n, err := r.ReadAt(p, offset)
				wanted, end := model.ReadAt(want[:len(p)], offset)
				same(t, fmt.Sprintf("%s, %d from %d", source, size, offset), p[:n], want[:wanted])
				if offset < int64(size) && err != end {
					t.Errorf("%d from %d: %v, want %v", len(p), offset, err, end)
				}
			}
		}
	}
}

func TestReaderOfPartsIsAFile(t *testing.T) {
	s := newDataKey(t)
	for _, size := range []int{0, 1, 16385} {
		r := readerAt(t, s, sealed(t, s, text(size)))
		if err := iotest.TestReader(io.NewSectionReader(r, 0, r.Size()), text(size)); err != nil {
			t.Errorf("%d: %v", size, err)
		}
	}
}

func TestNoPartIsBeyondTheEnd(t *testing.T) {
	s := newDataKey(t)
	for _, size := range sizes {
		r := readerAt(t, s, sealed(t, s, text(size)))
		for _, offset := range []int64{int64(size), int64(size) + 1, math.MaxInt64 - 1, math.MaxInt64} {
			if n, err := r.ReadAt(make([]byte, 10), offset); n != 0 || err != io.EOF {
				t.Errorf("%d of %d: %d bytes, %v", offset, size, n, err)
			}
		}
		for _, offset := range []int64{-1, math.MinInt64} {
			if n, err := r.ReadAt(make([]byte, 10), offset); n != 0 || !errors.Is(err, donjon.ErrInvalidArgument) {
				t.Errorf("%d of %d: %d bytes, %v", offset, size, n, err)
			}
		}
	}
}

// The length that a reader says is authentic: a part has no reader at all.
func TestPartOfAnEnvelopeHasNoReader(t *testing.T) {
	s := newDataKey(t)
	envelope := sealed(t, s, text(3*16384))
	for n := 0; n < len(envelope); n += 53 {
		if _, err := s.NewReaderAt(bytes.NewReader(envelope), int64(n), here, nil); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for _, size := range []int64{int64(len(envelope)) + 1, int64(len(envelope)) + 16400, math.MaxInt64} {
		if _, err := s.NewReaderAt(bytes.NewReader(envelope), size, here, nil); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%d bytes of fewer: %v", size, err)
		}
	}
	if _, err := s.NewReaderAt(bytes.NewReader(envelope), -1, here, nil); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("less than nothing: %v", err)
	}
	for name, context := range elsewhere {
		if _, err := s.NewReaderAt(bytes.NewReader(envelope), int64(len(envelope)), context, nil); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A chunk that was changed does not open; the others do.
func TestChangedChunkIsNoticedWhenItIsRead(t *testing.T) {
	s := newDataKey(t)
	plaintext := text(3 * 16384)
	envelope := sealed(t, s, plaintext)
	r := readerAt(t, s, envelope)
	envelope[len(envelope)-16-16400-100] ^= 1 // in the second chunk
	p := make([]byte, 100)
	for chunk, want := range []error{nil, donjon.ErrDecryptFailed, nil} {
		n, err := r.ReadAt(p, int64(chunk)*16384)
		if !errors.Is(err, want) {
			t.Errorf("chunk %d: %v, want %v", chunk, err, want)
		}
		if err == nil {
			same(t, "part", p[:n], plaintext[chunk*16384:chunk*16384+100])
		}
	}
	clear(p)
	long := make([]byte, len(plaintext))
	if n, err := r.ReadAt(long, 0); !errors.Is(err, donjon.ErrDecryptFailed) || !bytes.Equal(long[:n], plaintext[:n]) {
		t.Errorf("all of it: %d bytes, %v", n, err)
	}
	if bytes.Contains(long, plaintext[16384:16384+50]) {
		t.Error("plaintext that is not authentic")
	}
}

// shrinking is a file that somebody cuts off while it is read.
type shrinking struct {
	bytes []byte
	err   error
}

func (s *shrinking) ReadAt(p []byte, offset int64) (int, error) {
	n, err := bytes.NewReader(s.bytes).ReadAt(p, offset)
	if err == io.EOF && s.err != nil {
		err = s.err
	}
	return n, err
}

func TestEndOfTheReaderBelowIsNoEnd(t *testing.T) {
	s := newDataKey(t)
	for below, want := range map[error]error{nil: donjon.ErrDecryptFailed, errBroken: errBroken} {
		file := &shrinking{bytes: sealed(t, s, text(100_000)), err: below}
		r, err := s.NewReaderAt(file, int64(len(file.bytes)), here, nil)
		ok(t, err)
		defer r.Close()
		file.bytes = file.bytes[:50_000]
		if _, err := r.ReadAt(make([]byte, 10), 90_000); !errors.Is(err, want) || err == io.EOF {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestPartsAreReadAtOnceUntilClosed(t *testing.T) {
	s := newDataKey(t)
	plaintext := text(1 << 20)
	envelope := sealed(t, s, plaintext)
	for range 20 {
		r, err := s.NewReaderAt(bytes.NewReader(envelope), int64(len(envelope)), here, nil)
		ok(t, err)
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				p := make([]byte, 50_000)
				for offset := int64(i); ; offset = (offset*7 + 12_345) % int64(len(plaintext)-len(p)) {
					n, err := r.ReadAt(p, offset)
					if errors.Is(err, donjon.ErrClosed) {
						return
					}
					if err != nil || !bytes.Equal(p[:n], plaintext[offset:offset+int64(n)]) {
						t.Error(n, err)
						return
					}
				}
			})
		}
		group.Go(func() {
			_, _ = r.ReadAt(make([]byte, 1<<20), 0)
			r.Close()
			r.Close()
		})
		group.Wait()
	}
}
