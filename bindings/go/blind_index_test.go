package donjon_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func newIndex(t testing.TB, keys *donjon.Keyring, opts donjon.BlindIndexOptions) *donjon.BlindIndex {
	t.Helper()
	index, err := donjon.NewBlindIndex(keys, opts)
	ok(t, err)
	t.Cleanup(func() { index.Close() })
	return index
}

func indexed(t testing.TB, index *donjon.BlindIndex, value string) []byte {
	t.Helper()
	got, err := index.Value([]byte(value))
	ok(t, err)
	return got
}

var emails = donjon.BlindIndexOptions{Tenant: "acme", Table: "users", Column: "email", Bits: 32}

func TestEqualValuesHaveEqualIndices(t *testing.T) {
	keys := newKeys(t)
	value := indexed(t, newIndex(t, keys, emails), "ann@example.com")
	same(t, "the same again", indexed(t, newIndex(t, keys, emails), "ann@example.com"), value)
	equal(t, "length", len(value), 5)

	others := map[string][]byte{
		"another value": indexed(t, newIndex(t, keys, emails), "bob@example.com"),
		"another key":   indexed(t, newIndex(t, newKeys(t), emails), "ann@example.com"),
	}
	for name, change := range map[string]func(*donjon.BlindIndexOptions){
		"another tenant": func(o *donjon.BlindIndexOptions) { o.Tenant = "emca" },
		"another table":  func(o *donjon.BlindIndexOptions) { o.Table = "people" },
		"another column": func(o *donjon.BlindIndexOptions) { o.Column = "name" },
		"other borders":  func(o *donjon.BlindIndexOptions) { o.Tenant, o.Table = "acmeu", "sers" },
	} {
		opts := emails
		change(&opts)
		others[name] = indexed(t, newIndex(t, keys, opts), "ann@example.com")
	}
	for name, other := range others {
		if bytes.Equal(other, value) {
			t.Errorf("%s has the same index", name)
		}
	}
}

func TestSearchFindsWhatOlderKeysIndexed(t *testing.T) {
	keys := newKeys(t)
	stored := indexed(t, newIndex(t, keys, emails), "ann@example.com")
	rotated, err := keys.Rotate(donjon.Rotation{Purpose: donjon.PurposeBlindIndex})
	ok(t, err)
	defer rotated.Close()
	index := newIndex(t, rotated, emails)
	candidates, err := index.Candidates([]byte("ann@example.com"))
	ok(t, err)
	same(t, "the first candidate", candidates[0], indexed(t, index, "ann@example.com"))
	if bytes.Equal(candidates[0], stored) || !slices.ContainsFunc(candidates, func(c []byte) bool { return bytes.Equal(c, stored) }) {
		t.Errorf("%x among %x", stored, candidates)
	}
}

func TestIndexIsOfTheBitsThatAreAskedFor(t *testing.T) {
	keys := newKeys(t)
	for _, bits := range []uint32{8, 9, 15, 16, 255, 256} {
		opts := emails
		opts.Bits = bits
		index := newIndex(t, keys, opts)
		for _, value := range []string{"", "a", "b", "c", "d"} {
			got := indexed(t, index, value)
			equal(t, "length", len(got), int(1+(bits+7)/8))
			if unused := (8 - bits%8) % 8; got[len(got)-1]&(1<<unused-1) != 0 {
				t.Errorf("%d bits of %x", bits, got)
			}
		}
		candidates, err := index.Candidates(nil)
		ok(t, err)
		for _, candidate := range candidates {
			equal(t, "length of a candidate", len(candidate), int(1+(bits+7)/8))
		}
	}
	for _, bits := range []uint32{0, 7, 257, 1<<32 - 1} {
		opts := emails
		opts.Bits = bits
		if _, err := donjon.NewBlindIndex(keys, opts); !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
	index := newIndex(t, keys, emails)
	if _, err := index.ValueAt(nil, time.Time{}); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("at no time: %v", err)
	}
	index.Close()
	if _, err := index.Value(nil); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
