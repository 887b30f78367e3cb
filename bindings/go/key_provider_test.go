package donjon_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

// memoryKMS is a donjon.KeyProvider whose keys are in memory.
type memoryKMS struct {
	name   string
	wraps  cipher.AEAD
	asked  int
	handed [][]byte // what it gave away, which the caller overwrites
}

func newKMS(t testing.TB, name string) *memoryKMS {
	t.Helper()
	block, err := aes.NewCipher([]byte(fmt.Sprintf("%-32s", name)))
	ok(t, err)
	aead, err := cipher.NewGCMWithRandomNonce(block)
	ok(t, err)
	return &memoryKMS{name: name, wraps: aead}
}

func (k *memoryKMS) WrapKey(ctx context.Context, dataKey []byte) (string, []byte, error) {
	k.asked++
	return k.name, k.wraps.Seal(nil, nil, dataKey, nil), ctx.Err()
}

func (k *memoryKMS) UnwrapKey(ctx context.Context, keyID string, wrapped []byte) ([]byte, error) {
	k.asked++
	if keyID != k.name {
		return nil, errBroken
	}
	dataKey, err := k.wraps.Open(nil, nil, wrapped, nil)
	k.handed = append(k.handed, dataKey)
	return dataKey, errors.Join(err, ctx.Err())
}

func TestProviderWrapsWhatASealerSealsUnder(t *testing.T) {
	kms := newKMS(t, "kms/1")
	sealer, err := donjon.SealerFromProvider(t.Context(), kms)
	ok(t, err)
	defer sealer.Close()
	equal(t, "key id", sealer.KeyID(), "kms/1")
	envelopes := [][]byte{sealed(t, sealer, text(0)), sealed(t, sealer, text(1)), sealed(t, sealer, text(100_000))}
	equal(t, "requests", kms.asked, 1)

	for i, size := range []int{0, 1, 100_000} {
		prefix := envelopes[i][:min(len(envelopes[i]), donjon.EnvelopePrefixMax)]
		opener, err := donjon.SealerForEnvelope(t.Context(), kms, prefix)
		ok(t, err)
		defer opener.Close()
		opened, err := opener.Open(here, envelopes[i])
		ok(t, err)
		same(t, "opened", opened, text(size))
	}
	for _, dataKey := range kms.handed {
		same(t, "the key that was unwrapped", dataKey, make([]byte, 32))
	}
}

func TestProviderWrapsADataKey(t *testing.T) {
	kms := newKMS(t, "kms/1")
	sealer, err := donjon.SealerFromProvider(t.Context(), kms)
	ok(t, err)
	defer sealer.Close()
	key, wrapped, err := sealer.NewDataKey("acme")
	ok(t, err)
	defer key.Close()

	opener, err := donjon.SealerForEnvelope(t.Context(), kms, wrapped)
	ok(t, err)
	defer opener.Close()
	again, err := opener.OpenDataKey(wrapped, "acme")
	ok(t, err)
	defer again.Close()
	equal(t, "key id", again.KeyID(), key.KeyID())
}

func TestProviderRewraps(t *testing.T) {
	old, next := newKMS(t, "kms/1"), newKMS(t, "kms/2")
	sealer, err := donjon.SealerFromProvider(t.Context(), old)
	ok(t, err)
	defer sealer.Close()
	envelope := sealed(t, sealer, text(20_000))
	rewrapped, err := donjon.RewrapWithProvider(t.Context(), old, next, envelope)
	ok(t, err)
	if !bytes.HasSuffix(rewrapped, envelope[len(envelope)-20_000:]) {
		t.Error("the payload was touched")
	}
	opener, err := donjon.SealerForEnvelope(t.Context(), next, rewrapped)
	ok(t, err)
	defer opener.Close()
	opened, err := opener.Open(here, rewrapped)
	ok(t, err)
	same(t, "opened", opened, text(20_000))
	if _, err := donjon.SealerForEnvelope(t.Context(), old, rewrapped); !errors.Is(err, errBroken) {
		t.Errorf("by the old key: %v", err)
	}
}

func TestErrorOfTheProviderIsPassedOn(t *testing.T) {
	kms := newKMS(t, "kms/1")
	sealer, err := donjon.SealerFromProvider(t.Context(), kms)
	ok(t, err)
	defer sealer.Close()
	envelope := sealed(t, sealer, nil)

	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := donjon.SealerFromProvider(done, kms); !errors.Is(err, context.Canceled) {
		t.Errorf("wrapping: %v", err)
	}
	if _, err := donjon.SealerForEnvelope(done, kms, envelope); !errors.Is(err, context.Canceled) {
		t.Errorf("unwrapping: %v", err)
	}
	asked := kms.asked
	for name, other := range map[string][]byte{"a cell": sealed(t, newDataKey(t), nil), "an envelope": sealed(t, newSealer(t), nil), "nothing": nil} {
		if _, err := donjon.SealerForEnvelope(t.Context(), kms, other); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	equal(t, "requests for what is not its own", kms.asked-asked, 0)
	if _, err := donjon.SealerForEnvelope(t.Context(), wrongKMS{}, envelope); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("a key that is none: %v", err)
	}
}

// wrongKMS unwraps to what is no data key.
type wrongKMS struct{}

func (wrongKMS) WrapKey(context.Context, []byte) (string, []byte, error) { return "", nil, nil }

func (wrongKMS) UnwrapKey(context.Context, string, []byte) ([]byte, error) {
	return []byte("short"), nil
}
