package abi

/*
#include <donjon.h>

#cgo noescape donjon_verifier_verify
#cgo nocallback donjon_verifier_verify
*/
import "C"

// Verifier is a donjon_verifier.
type Verifier struct{ p *C.donjon_verifier }

// NewVerifier is donjon_verifier_new.
func NewVerifier(k Keyring, config string) (v Verifier, status int32) {
	p, n := in(config)
	status = int32(C.donjon_verifier_new(k.p, p, n, &v.p))
	return v, status
}

// VerifierDiagnose is donjon_verifier_diagnose.
func VerifierDiagnose(k Keyring, config string) ([]byte, int32) {
	p, n := in(config)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_verifier_diagnose(k.p, p, n, out, size, written)
	})
}

// Verify is donjon_verifier_verify. It returns the text that claims spans.
func (v Verifier) Verify(token string, now int64, claims *Claims) (string, int32) {
	// Claims are shorter than their token, save where they escape much or the
	// key's id is long. Tokens over the maximum the kernel refuses.
	out := make([]byte, min(len(token), TokenMax))
	length, status := v.verify(token, now, claims, out)
	if status == C.DONJON_BUFFER_TOO_SMALL {
		out = make([]byte, length)
		length, status = v.verify(token, now, claims, out)
	}
	return written(out, length, status)
}

func (v Verifier) verify(token string, now int64, claims *Claims, out []byte) (length C.size_t, status C.int32_t) {
	p, n := in(token)
	status = C.donjon_verifier_verify(v.p, p, n, C.int64_t(now),
		claims.kernel(), start(out), C.size_t(len(out)), &length)
	return length, status
}

// Free is donjon_verifier_free.
func (v Verifier) Free() { C.donjon_verifier_free(v.p) }
