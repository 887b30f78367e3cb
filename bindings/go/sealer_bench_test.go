package donjon_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestCellsAllocateTheirResultOnly(t *testing.T) {
	key, plaintext := newDataKey(t), text(64)
	cell, room := sealed(t, key, plaintext), make([]byte, 0, 1024)
	for name, c := range map[string]struct {
		most float64
		call func() ([]byte, error)
	}{
		"seal":   {1, func() ([]byte, error) { return key.Seal(here, plaintext) }},
		"open":   {1, func() ([]byte, error) { return key.Open(here, cell) }},
		"append": {0, func() ([]byte, error) { return key.AppendSeal(room, here, plaintext) }},
		"fail":   {1, func() ([]byte, error) { _, err := key.Open(here, cell[:90]); return nil, err }},
	} {
		got := testing.AllocsPerRun(100, func() { _, _ = c.call() })
		if got > c.most {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

// cellSizes are a short text, a long one, and a file.
var cellSizes = []int{64, 1 << 10, 1 << 20}

func BenchmarkSealCell(b *testing.B) {
	key := newDataKey(b)
	for _, size := range cellSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			plaintext := text(size)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := key.Seal(here, plaintext); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendSealCell(b *testing.B) {
	key := newDataKey(b)
	for _, size := range cellSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			plaintext, room := text(size), make([]byte, 0, 2*size+1024)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := key.AppendSeal(room, here, plaintext); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpenCell(b *testing.B) {
	key := newDataKey(b)
	for _, size := range cellSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			cell := sealed(b, key, text(size))
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := key.Open(here, cell); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkContextOfARow(b *testing.B) {
	column := donjon.ContextOf("acme", "users", "email")
	b.ReportAllocs()
	for b.Loop() {
		_ = column.With("42")
	}
}

func BenchmarkSealStream(b *testing.B) {
	key, plaintext := newDataKey(b), text(64<<20)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprint(threads), func(b *testing.B) {
			b.SetBytes(int64(len(plaintext)))
			for b.Loop() {
				w, err := key.NewWriter(io.Discard, here, &donjon.StreamOptions{Threads: threads})
				ok(b, err)
				_, err = w.Write(plaintext)
				ok(b, err)
				ok(b, w.Close())
			}
		})
	}
}

func BenchmarkOpenStream(b *testing.B) {
	key := newDataKey(b)
	envelope := sealed(b, key, text(64<<20))
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprint(threads), func(b *testing.B) {
			b.SetBytes(int64(len(envelope)))
			for b.Loop() {
				r, err := key.NewReader(bytes.NewReader(envelope), here, &donjon.StreamOptions{Threads: threads})
				ok(b, err)
				_, err = io.Copy(io.Discard, r)
				ok(b, err)
				r.Close()
			}
		})
	}
}

func BenchmarkReadAt(b *testing.B) {
	key := newDataKey(b)
	envelope := sealed(b, key, text(64<<20))
	r := readerAt(b, key, envelope)
	p := make([]byte, 4096)
	b.ReportAllocs()
	b.SetBytes(int64(len(p)))
	for i := int64(0); b.Loop(); i++ {
		if _, err := r.ReadAt(p, i*1_000_003%(63<<20)); err != nil {
			b.Fatal(err)
		}
	}
}
