package abi

/*
#include <donjon.h>

#cgo noescape donjon_context_append
#cgo nocallback donjon_context_append
#cgo noescape donjon_sealer_seal
#cgo nocallback donjon_sealer_seal
#cgo noescape donjon_sealer_open
#cgo nocallback donjon_sealer_open
#cgo noescape donjon_sealer_sealed_len
#cgo nocallback donjon_sealer_sealed_len
*/
import "C"

// The bounds of contexts and of what stands before the first chunk, and the length
// of a chunk.
const (
	ContextMax        = C.DONJON_CONTEXT_MAX
	EnvelopePrefixMax = C.DONJON_ENVELOPE_PREFIX_MAX
	ChunkLen          = C.DONJON_CHUNK_LEN
)

// ContextAppend is donjon_context_append: context, in whose capacity part has to
// fit, with one more part.
func ContextAppend(context []byte, part string) ([]byte, int32) {
	p, n := in(part)
	out := context[:cap(context)]
	var length C.size_t
	status := C.donjon_context_append(start(context), C.size_t(len(context)), p, n,
		start(out), C.size_t(len(out)), &length)
	if status != C.DONJON_OK {
		return nil, int32(status)
	}
	return out[:length], StatusOK
}

// Sealer is a donjon_sealer.
type Sealer struct{ p *C.donjon_sealer }

// NewSealer is donjon_sealer_new.
func NewSealer(k Keyring) (s Sealer, status int32) {
	status = int32(C.donjon_sealer_new(k.p, &s.p))
	return s, status
}

// SealerDiagnose is donjon_sealer_diagnose.
func SealerDiagnose(k Keyring) ([]byte, int32) {
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_sealer_diagnose(k.p, out, size, written)
	})
}

// SealerFromPassphrase is donjon_sealer_from_passphrase.
func SealerFromPassphrase(passphrase string, memoryKiB, timeCost, parallelism uint32) (s Sealer, status int32) {
	p, n := in(passphrase)
	status = int32(C.donjon_sealer_from_passphrase(p, n,
		C.uint32_t(memoryKiB), C.uint32_t(timeCost), C.uint32_t(parallelism), &s.p))
	return s, status
}

// SealerFromExternal is donjon_sealer_from_external.
func SealerFromExternal(dataKey, keyID, wrapped string) (s Sealer, status int32) {
	dp, dn := in(dataKey)
	kp, kn := in(keyID)
	wp, wn := in(wrapped)
	status = int32(C.donjon_sealer_from_external(dp, dn, kp, kn, wp, wn, &s.p))
	return s, status
}

// KeyID is donjon_sealer_key_id.
func (s Sealer) KeyID() (string, int32) {
	id, status := filled(keyIDMax, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_sealer_key_id(s.p, out, size, n)
	})
	return Text(id), status
}

// SealedLen is donjon_sealer_sealed_len.
func (s Sealer) SealedLen(plaintext int) (int, int32) {
	var n C.size_t
	status := int32(C.donjon_sealer_sealed_len(s.p, C.size_t(plaintext), &n))
	return int(n), status
}

// Seal is donjon_sealer_seal. It returns how much of out it filled.
func (s Sealer) Seal(context string, now int64, plaintext string, out []byte) (int, int32) {
	cp, cn := in(context)
	p, n := in(plaintext)
	var length C.size_t
	status := int32(C.donjon_sealer_seal(s.p, cp, cn, C.int64_t(now), p, n, start(out), C.size_t(len(out)), &length))
	return int(length), status
}

// Open is donjon_sealer_open. It returns how much of out it filled, or how much
// it would if the status is [StatusBufferTooSmall].
func (s Sealer) Open(context string, now int64, envelope string, out []byte) (int, int32) {
	cp, cn := in(context)
	p, n := in(envelope)
	var length C.size_t
	status := int32(C.donjon_sealer_open(s.p, cp, cn, C.int64_t(now), p, n, start(out), C.size_t(len(out)), &length))
	return int(length), status
}

// NeedsRewrap is donjon_sealer_needs_rewrap.
func (s Sealer) NeedsRewrap(prefix string) (bool, int32) {
	p, n := in(prefix)
	var out C.uint32_t
	status := int32(C.donjon_sealer_needs_rewrap(s.p, p, n, &out))
	return out != 0, status
}

// Rewrap is donjon_sealer_rewrap. It returns the new header, and how long the
// old one is.
func (s Sealer) Rewrap(to Sealer, now int64, prefix string) (header []byte, old int, status int32) {
	p, n := in(prefix)
	var length C.size_t
	header, status = filled(EnvelopePrefixMax, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_sealer_rewrap(s.p, to.p, C.int64_t(now), p, n, &length, out, size, written)
	})
	return header, int(length), status
}

// Free is donjon_sealer_free.
func (s Sealer) Free() { C.donjon_sealer_free(s.p) }

// EnvelopeInspect is donjon_envelope_inspect.
func EnvelopeInspect(prefix string) ([]byte, int32) {
	p, n := in(prefix)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_envelope_inspect(p, n, out, size, written)
	})
}

// ExternalKeyGenerate is donjon_external_key_generate.
func ExternalKeyGenerate() ([]byte, int32) {
	return filled(C.DONJON_DATA_KEY_LEN, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_external_key_generate(out, size, n)
	})
}
