package donjon

import (
	"encoding/base64"
	"encoding/json"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// EnvelopePrefixMax is how many of an envelope's first bytes say all that
// [InspectEnvelope] and its kin ask for.
const EnvelopePrefixMax = abi.EnvelopePrefixMax

// An EnvelopeKind is what an envelope is, and so what opens it.
type EnvelopeKind string

// The kinds of envelopes.
const (
	SelfContainedEnvelope EnvelopeKind = "self-contained" // by [NewSealer]
	DataKeyEnvelope       EnvelopeKind = "data-key"       // a data key, wrapped by a sealer of [NewSealer]
	CellEnvelope          EnvelopeKind = "cell"           // by a [DataKey]
	PassphraseEnvelope    EnvelopeKind = "passphrase"     // by [SealerFromPassphrase]
	ExternalEnvelope      EnvelopeKind = "external"       // by [SealerFromExternal]
)

// An EnvelopeInfo is what the header of an envelope says, UNVERIFIED: anyone may
// have written it.
type EnvelopeInfo struct {
	Kind       EnvelopeKind
	KeyID      string // of what opens it; empty if that is a passphrase
	HeaderLen  int
	WrappedKey []byte // of an external envelope: what the KMS unwraps

	// Passphrase are the parameters of a passphrase envelope.
	Passphrase PassphraseOptions
}

// InspectEnvelope reads the header of an envelope, a cell or a wrapped data key,
// of which the first [EnvelopePrefixMax] bytes suffice. It verifies nothing. What
// has no such header is [ErrDecryptFailed].
func InspectEnvelope(envelope []byte) (*EnvelopeInfo, error) {
	text, err := InspectEnvelopeJSON(envelope)
	if err != nil {
		return nil, err
	}
	var header struct {
		Kind        EnvelopeKind `json:"kind"`
		KeyID       string       `json:"key_id"`
		HeaderLen   int          `json:"header_len"`
		WrappedKey  string       `json:"wrapped_key"`
		MemoryKiB   uint32       `json:"memory_kib"`
		TimeCost    uint32       `json:"time_cost"`
		Parallelism uint32       `json:"parallelism"`
	}
	if err := json.Unmarshal(text, &header); err != nil {
		return nil, err
	}
	wrapped, err := base64.RawURLEncoding.DecodeString(header.WrappedKey)
	if err != nil {
		return nil, err
	}
	return &EnvelopeInfo{
		Kind: header.Kind, KeyID: header.KeyID, HeaderLen: header.HeaderLen, WrappedKey: wrapped,
		Passphrase: PassphraseOptions{header.MemoryKiB, header.TimeCost, header.Parallelism},
	}, nil
}

// InspectEnvelopeJSON is [InspectEnvelope] as a JSON object.
func InspectEnvelopeJSON(envelope []byte) ([]byte, error) {
	text, status := abi.EnvelopeInspect(abi.Text(envelope))
	return text, failure(status)
}
