package abi

/*
#include <donjon.h>

#cgo noescape donjon_purpose_tokens_check
#cgo nocallback donjon_purpose_tokens_check
*/
import "C"

// PurposeTokens is a donjon_purpose_tokens.
type PurposeTokens struct{ p *C.donjon_purpose_tokens }

// NewPurposeTokens is donjon_purpose_tokens_new.
func NewPurposeTokens(k Keyring) (t PurposeTokens, status int32) {
	status = int32(C.donjon_purpose_tokens_new(k.p, &t.p))
	return t, status
}

// Mint is donjon_purpose_tokens_mint.
func (t PurposeTokens) Mint(purpose, subject, state string, ttl, now int64) (string, int32) {
	pp, pn := in(purpose)
	up, un := in(subject)
	sp, sn := in(state)
	out, status := room(C.donjon_purpose_tokens_bound(pn, un))
	if status != StatusOK {
		return "", status
	}
	var n C.size_t
	code := C.donjon_purpose_tokens_mint(t.p, pp, pn, up, un, sp, sn,
		C.int64_t(ttl), C.int64_t(now), start(out), C.size_t(len(out)), &n)
	return written(out, n, code)
}

// Check is donjon_purpose_tokens_check.
func (t PurposeTokens) Check(token, purpose, subject, state string, now int64) int32 {
	tp, tn := in(token)
	pp, pn := in(purpose)
	up, un := in(subject)
	sp, sn := in(state)
	return int32(C.donjon_purpose_tokens_check(t.p, pp, pn, up, un, sp, sn, tp, tn, C.int64_t(now)))
}

// Free is donjon_purpose_tokens_free.
func (t PurposeTokens) Free() { C.donjon_purpose_tokens_free(t.p) }
