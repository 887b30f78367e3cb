package abi

/*
#include <donjon.h>

#cgo noescape donjon_hasher_hash
#cgo nocallback donjon_hasher_hash
#cgo noescape donjon_hasher_verify
#cgo nocallback donjon_hasher_verify
#cgo noescape donjon_hasher_verify_unknown_user
#cgo nocallback donjon_hasher_verify_unknown_user
*/
import "C"

// Hasher is a donjon_hasher.
type Hasher struct{ p *C.donjon_hasher }

// NewHasher is donjon_hasher_new. The zero Keyring stands for no peppers.
func NewHasher(peppers Keyring, config string) (h Hasher, status int32) {
	p, n := in(config)
	status = int32(C.donjon_hasher_new(peppers.p, p, n, &h.p))
	return h, status
}

// HasherDiagnose is donjon_hasher_diagnose.
func HasherDiagnose(peppers Keyring, config string) ([]byte, int32) {
	p, n := in(config)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_hasher_diagnose(peppers.p, p, n, out, size, written)
	})
}

// MaxWaitMS is donjon_hasher_max_wait_ms.
func (h Hasher) MaxWaitMS() uint32 { return uint32(C.donjon_hasher_max_wait_ms(h.p)) }

// Slots is donjon_hasher_slots.
func (h Hasher) Slots() uint32 { return uint32(C.donjon_hasher_slots(h.p)) }

// Hash is donjon_hasher_hash.
func (h Hasher) Hash(password string, now int64) (string, int32) {
	p, n := in(password)
	out := make([]byte, C.DONJON_PASSWORD_HASH_MAX)
	var length C.size_t
	code := C.donjon_hasher_hash(h.p, p, n, C.int64_t(now), start(out), C.size_t(len(out)), &length)
	return written(out, length, code)
}

// PasswordVerdict is donjon_password_verdict.
type PasswordVerdict struct{ NeedsRehash, Truncated bool }

// Verify is donjon_hasher_verify.
func (h Hasher) Verify(hash, password string, now int64) (PasswordVerdict, int32) {
	p, n := in(password)
	hp, hn := in(hash)
	var verdict C.donjon_password_verdict
	status := int32(C.donjon_hasher_verify(h.p, p, n, hp, hn, C.int64_t(now), &verdict))
	return PasswordVerdict{NeedsRehash: verdict.needs_rehash != 0, Truncated: verdict.truncated != 0}, status
}

// VerifyUnknownUser is donjon_hasher_verify_unknown_user.
func (h Hasher) VerifyUnknownUser(password string, now int64) int32 {
	p, n := in(password)
	return int32(C.donjon_hasher_verify_unknown_user(h.p, p, n, C.int64_t(now)))
}

// NeedsRehash is donjon_hasher_needs_rehash.
func (h Hasher) NeedsRehash(hash string, now int64) (bool, int32) {
	p, n := in(hash)
	var out C.uint32_t
	status := int32(C.donjon_hasher_needs_rehash(h.p, p, n, C.int64_t(now), &out))
	return out != 0, status
}

// Free is donjon_hasher_free.
func (h Hasher) Free() { C.donjon_hasher_free(h.p) }
