package abi

/*
#include <donjon.h>

#cgo noescape donjon_revocations_check
#cgo nocallback donjon_revocations_check
#cgo nocallback donjon_revocations_free
*/
import "C"

// Revocations is a donjon_revocations.
type Revocations struct{ p *C.donjon_revocations }

// What is revoked.
const (
	RevokedToken   = C.DONJON_REVOKED_TOKEN
	RevokedFamily  = C.DONJON_REVOKED_FAMILY
	RevokedSubject = C.DONJON_REVOKED_SUBJECT
	RevokedKey     = C.DONJON_REVOKED_KEY
)

// How much room a key, the keys of a token, and a record without its id may take.
const (
	recordKeySize        = 128
	recordKeysSize       = 1024
	revocationRecordSize = 18
)

// RevocationQuery is what a store, or a set, is asked about a token.
type RevocationQuery struct {
	Subject, TokenID, Family, KeyID string
	IssuedAt                        int64
}

// NewRevocations is donjon_revocations_new.
func NewRevocations(k Keyring, config string) (r Revocations, status int32) {
	p, n := in(config)
	status = int32(C.donjon_revocations_new(k.p, p, n, &r.p))
	return r, status
}

// RevocationsDiagnose is donjon_revocations_diagnose.
func RevocationsDiagnose(k Keyring, config string) ([]byte, int32) {
	p, n := in(config)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_revocations_diagnose(k.p, p, n, out, size, written)
	})
}

// Keys is donjon_revocations_keys: a JSON list.
func (r Revocations) Keys(q RevocationQuery) ([]byte, int32) {
	sp, sn := in(q.Subject)
	tp, tn := in(q.TokenID)
	fp, fn := in(q.Family)
	kp, kn := in(q.KeyID)
	return filled(recordKeysSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_revocations_keys(r.p, sp, sn, tp, tn, fp, fn, kp, kn, out, size, written)
	})
}

// Check is donjon_revocations_check. Values are one after the other, each after its
// length.
func (r Revocations) Check(q RevocationQuery, values string, storeSinceMS int64) int32 {
	sp, sn := in(q.Subject)
	tp, tn := in(q.TokenID)
	fp, fn := in(q.Family)
	kp, kn := in(q.KeyID)
	vp, vn := in(values)
	return int32(C.donjon_revocations_check(r.p, sp, sn, tp, tn, fp, fn, kp, kn,
		C.int64_t(q.IssuedAt), vp, vn, C.int64_t(storeSinceMS)))
}

// IssueSince is donjon_revocations_issue_since.
func (r Revocations) IssueSince(subject, values string, storeSinceMS int64) (since int64, status int32) {
	sp, sn := in(subject)
	vp, vn := in(values)
	var seconds C.int64_t
	status = int32(C.donjon_revocations_issue_since(r.p, sp, sn, vp, vn, C.int64_t(storeSinceMS), &seconds))
	if status != StatusOK {
		return Never, status
	}
	return int64(seconds), status
}

// Key is donjon_revocations_key.
func (r Revocations) Key(kind uint32, subject, id string) ([]byte, int32) {
	sp, sn := in(subject)
	ip, n := in(id)
	return filled(recordKeySize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_revocations_key(r.p, C.uint32_t(kind), sp, sn, ip, n, out, size, written)
	})
}

// Revoke is donjon_revocations_revoke.
func (r Revocations) Revoke(kind uint32, subject, id, stored string, until, nowMS, storeSinceMS int64) (value []byte, keepMS int64, status int32) {
	sp, sn := in(subject)
	ip, n := in(id)
	op, on := in(stored)
	var keep C.int64_t
	size := revocationRecordSize + max(len(subject), len(id))
	value, status = filled(size, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_revocations_revoke(r.p, C.uint32_t(kind), sp, sn, ip, n, op, on,
			C.int64_t(until), C.int64_t(nowMS), C.int64_t(storeSinceMS), &keep, out, size, written)
	})
	return value, int64(keep), status
}

// Free is donjon_revocations_free.
func (r Revocations) Free() { C.donjon_revocations_free(r.p) }
