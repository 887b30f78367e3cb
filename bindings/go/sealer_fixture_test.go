package donjon_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

// sealing is what a Sealer and a DataKey have in common.
type sealing interface {
	io.Closer
	KeyID() string
	Seal(donjon.Context, []byte) ([]byte, error)
	AppendSeal([]byte, donjon.Context, []byte) ([]byte, error)
	Open(donjon.Context, []byte) ([]byte, error)
	AppendOpen([]byte, donjon.Context, []byte) ([]byte, error)
	NewWriter(io.Writer, donjon.Context, *donjon.StreamOptions) (*donjon.SealWriter, error)
	NewReader(io.Reader, donjon.Context, *donjon.StreamOptions) (*donjon.SealedReader, error)
	NewReaderAt(io.ReaderAt, int64, donjon.Context, *donjon.StreamOptions) (*donjon.SealedReaderAt, error)
	SealFile(src, dst string, _ donjon.Context, _ *donjon.StreamOptions) error
	OpenFile(src, dst string, _ donjon.Context, _ *donjon.StreamOptions) error
	Cell(donjon.Context) donjon.Cell
}

// here is where the tests seal, and elsewhere are other places.
var (
	here      = donjon.ContextOf("acme", "users", "email", "42")
	elsewhere = map[string]donjon.Context{
		"nowhere":        donjon.ContextOf(),
		"another tenant": donjon.ContextOf("emca", "users", "email", "42"),
		"another row":    donjon.ContextOf("acme", "users", "email", "43"),
		"a shorter one":  donjon.ContextOf("acme", "users", "email"),
		"a longer one":   donjon.ContextOf("acme", "users", "email", "42", ""),
		"other borders":  donjon.ContextOf("acme", "users", "emai", "l42"),
		"another order":  donjon.ContextOf("users", "acme", "email", "42"),
	}
)

// cheap are parameters for tests that shall be fast.
var cheap = &donjon.PassphraseOptions{MemoryKiB: 8, TimeCost: 1, Parallelism: 1}

var atRest = map[donjon.Purpose]donjon.Algorithm{
	donjon.PurposeEnvelope: donjon.HS256, donjon.PurposeBlindIndex: donjon.HS256, donjon.PurposeSettings: donjon.HS256,
}

func newKeys(t testing.TB) *donjon.Keyring {
	t.Helper()
	keys, err := donjon.GenerateKeyring(atRest)
	ok(t, err)
	t.Cleanup(func() { keys.Close() })
	return keys
}

func newSealer(t testing.TB) *donjon.Sealer {
	t.Helper()
	return sealerOf(t, newKeys(t))
}

func sealerOf(t testing.TB, keys *donjon.Keyring) *donjon.Sealer {
	t.Helper()
	sealer, err := donjon.NewSealer(keys)
	ok(t, err)
	t.Cleanup(func() { sealer.Close() })
	return sealer
}

func passphraseSealer(t testing.TB, passphrase string) *donjon.Sealer {
	t.Helper()
	sealer, err := donjon.SealerFromPassphrase([]byte(passphrase), cheap)
	ok(t, err)
	t.Cleanup(func() { sealer.Close() })
	return sealer
}

func externalSealer(t testing.TB, dataKey, keyID, wrapped string) *donjon.Sealer {
	t.Helper()
	sealer, err := donjon.SealerFromExternal(donjon.ExternalKey{DataKey: []byte(dataKey), KeyID: keyID, Wrapped: []byte(wrapped)})
	ok(t, err)
	t.Cleanup(func() { sealer.Close() })
	return sealer
}

const testDataKey = "7d1f0a9be34c5d26a8b7e6f501c2d3e4"

func newDataKey(t testing.TB) *donjon.DataKey {
	t.Helper()
	key, _, err := newSealer(t).NewDataKey("acme")
	ok(t, err)
	t.Cleanup(func() { key.Close() })
	return key
}

// sealings is one of each source of keys.
func sealings(t testing.TB) map[string]sealing {
	t.Helper()
	return map[string]sealing{
		"keyring":    newSealer(t),
		"passphrase": passphraseSealer(t, "correct horse"),
		"external":   externalSealer(t, testDataKey, "kms/1", "wrapped"),
		"data key":   newDataKey(t),
	}
}

// sizes are those around the borders of chunks.
var sizes = []int{0, 1, 16383, 16384, 16385, 3 * 16384}

// text returns size bytes that do not repeat soon.
func text(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func sealed(t testing.TB, s sealing, plaintext []byte) []byte {
	t.Helper()
	envelope, err := s.Seal(here, plaintext)
	ok(t, err)
	return envelope
}

// mustNotOpen is of an envelope that is not whole.
func mustNotOpen(t testing.TB, what string, plaintext []byte, err error) {
	t.Helper()
	if !errors.Is(err, donjon.ErrDecryptFailed) || plaintext != nil {
		t.Errorf("%s: %d bytes, %v", what, len(plaintext), err)
	}
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes, want %d others", what, len(got), len(want))
	}
}
