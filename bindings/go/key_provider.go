package donjon

import (
	"context"
)

// A KeyProvider is a KMS or an HSM: it wraps data keys with a key that never
// leaves it. Its errors are passed on as they are.
type KeyProvider interface {
	// WrapKey wraps a data key of 32 bytes, and returns the id of the key that it
	// did so with and whatever unwraps it, of at most 6,144 bytes. It keeps no
	// part of dataKey.
	WrapKey(ctx context.Context, dataKey []byte) (keyID string, wrapped []byte, err error)

	// UnwrapKey returns the data key. What it returns is overwritten when it has
	// been used.
	UnwrapKey(ctx context.Context, keyID string, wrapped []byte) (dataKey []byte, err error)
}

// SealerFromProvider makes a sealer of a new data key, which it has p wrap. All that
// the sealer seals is under this key, so that many envelopes cost one request.
func SealerFromProvider(ctx context.Context, p KeyProvider) (*Sealer, error) {
	dataKey, err := GenerateExternalKey()
	if err != nil {
		return nil, err
	}
	defer clear(dataKey)
	return wrapExternal(ctx, p, dataKey)
}

// SealerForEnvelope makes the sealer that opens an envelope of
// [SealerFromProvider], or a data key that such a sealer wrapped: it has p unwrap
// the key in the header. The first [EnvelopePrefixMax] bytes of the envelope
// suffice. An envelope of another kind is [ErrDecryptFailed].
func SealerForEnvelope(ctx context.Context, p KeyProvider, envelope []byte) (*Sealer, error) {
	key, err := unwrapExternal(ctx, p, envelope)
	if err != nil {
		return nil, err
	}
	defer clear(key.DataKey)
	return SealerFromExternal(*key)
}

// RewrapWithProvider returns envelope with its data key wrapped by another
// provider, or by what has become the current key of the same.
func RewrapWithProvider(ctx context.Context, from, to KeyProvider, envelope []byte) ([]byte, error) {
	key, err := unwrapExternal(ctx, from, envelope)
	if err != nil {
		return nil, err
	}
	defer clear(key.DataKey)
	old, err := SealerFromExternal(*key)
	if err != nil {
		return nil, err
	}
	defer old.Close()
	current, err := wrapExternal(ctx, to, key.DataKey)
	if err != nil {
		return nil, err
	}
	defer current.Close()
	return old.Rewrap(envelope, current)
}

func wrapExternal(ctx context.Context, p KeyProvider, dataKey []byte) (*Sealer, error) {
	keyID, wrapped, err := p.WrapKey(ctx, dataKey)
	if err != nil {
		return nil, err
	}
	return SealerFromExternal(ExternalKey{DataKey: dataKey, KeyID: keyID, Wrapped: wrapped})
}

func unwrapExternal(ctx context.Context, p KeyProvider, envelope []byte) (*ExternalKey, error) {
	info, err := InspectEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	if info.Kind != ExternalEnvelope {
		return nil, ErrDecryptFailed
	}
	dataKey, err := p.UnwrapKey(ctx, info.KeyID, info.WrappedKey)
	if err != nil {
		return nil, err
	}
	return &ExternalKey{DataKey: dataKey, KeyID: info.KeyID, Wrapped: info.WrappedKey}, nil
}
