package abi

/*
#include <donjon.h>

#cgo noescape donjon_revocation_set_check
#cgo nocallback donjon_revocation_set_check
#cgo nocallback donjon_revocation_set_free
*/
import "C"

// RevocationSet is a donjon_revocation_set.
type RevocationSet struct{ p *C.donjon_revocation_set }

// RevocationSetSpec is what a set says besides what is revoked.
type RevocationSetSpec struct {
	Sequence             uint64
	StoreSinceMS, Skew   int64
	IssuedAt, ValidUntil int64
}

// RevocationSetSign is donjon_revocation_set_sign. Records are one after the other, each
// after its length.
func (k Keyring) RevocationSetSign(s RevocationSetSpec, records string) ([]byte, int32) {
	p, n := in(records)
	bound := C.donjon_revocation_set_bound(n)
	if bound == 0 {
		return nil, StatusTooLarge
	}
	return filled(int(bound), func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_revocation_set_sign(k.p, C.uint64_t(s.Sequence), C.int64_t(s.StoreSinceMS), C.int64_t(s.Skew),
			C.int64_t(s.IssuedAt), C.int64_t(s.ValidUntil), p, n, out, size, written)
	})
}

// RevocationSetOpen is donjon_revocation_set_open.
func RevocationSetOpen(set string, k Keyring, lastSequence uint64, now int64) (s RevocationSet, status int32) {
	p, n := in(set)
	status = int32(C.donjon_revocation_set_open(p, n, k.p, C.uint64_t(lastSequence), C.int64_t(now), &s.p))
	return s, status
}

// Check is donjon_revocation_set_check. It allocates nothing.
func (s RevocationSet) Check(q RevocationQuery, now int64) (isProbable bool, status int32) {
	sp, sn := in(q.Subject)
	tp, tn := in(q.TokenID)
	fp, fn := in(q.Family)
	kp, kn := in(q.KeyID)
	var probable C.uint8_t
	status = int32(C.donjon_revocation_set_check(s.p, sp, sn, tp, tn, fp, fn, kp, kn,
		C.int64_t(q.IssuedAt), C.int64_t(now), &probable))
	return probable != 0, status
}

// Info is donjon_revocation_set_info: a JSON object.
func (s RevocationSet) Info() ([]byte, int32) {
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_revocation_set_info(s.p, out, size, written)
	})
}

// Free is donjon_revocation_set_free.
func (s RevocationSet) Free() { C.donjon_revocation_set_free(s.p) }
