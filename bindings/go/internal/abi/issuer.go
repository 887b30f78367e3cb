package abi

/*
#include <donjon.h>

#cgo noescape donjon_issuer_access
#cgo noescape donjon_issuer_refresh
#cgo nocallback donjon_issuer_access
#cgo nocallback donjon_issuer_bound
#cgo nocallback donjon_issuer_refresh
*/
import "C"

// Issuer is a donjon_issuer.
type Issuer struct{ p *C.donjon_issuer }

// NewIssuer is donjon_issuer_new.
func NewIssuer(k Keyring, config string) (i Issuer, status int32) {
	p, n := in(config)
	status = int32(C.donjon_issuer_new(k.p, p, n, &i.p))
	return i, status
}

// IssuerDiagnose is donjon_issuer_diagnose.
func IssuerDiagnose(k Keyring, config string) ([]byte, int32) {
	p, n := in(config)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_issuer_diagnose(k.p, p, n, out, size, written)
	})
}

// Grant is what both kinds of issued token say.
type Grant struct {
	Subject, Claims string
	TTL, Since, Now int64
}

// Access is donjon_issuer_access.
func (i Issuer) Access(g Grant) (string, int32) {
	sp, sn := in(g.Subject)
	cp, cn := in(g.Claims)
	out, status := room(C.donjon_issuer_bound(i.p, sn, cn))
	if status != StatusOK {
		return "", status
	}
	var n C.size_t
	code := C.donjon_issuer_access(i.p, sp, sn, cp, cn,
		C.int64_t(g.TTL), C.int64_t(g.Since), C.int64_t(g.Now), start(out), C.size_t(len(out)), &n)
	return written(out, n, code)
}

// Refresh is donjon_issuer_refresh.
func (i Issuer) Refresh(state string, g Grant) (string, int32) {
	p, l := in(state)
	sp, sn := in(g.Subject)
	cp, cn := in(g.Claims)
	out, status := room(C.donjon_issuer_bound(i.p, sn, cn))
	if status != StatusOK {
		return "", status
	}
	var n C.size_t
	code := C.donjon_issuer_refresh(i.p, p, l, sp, sn, cp, cn,
		C.int64_t(g.TTL), C.int64_t(g.Since), C.int64_t(g.Now), start(out), C.size_t(len(out)), &n)
	return written(out, n, code)
}

// Free is donjon_issuer_free.
func (i Issuer) Free() { C.donjon_issuer_free(i.p) }

// TokenSign is donjon_token_sign.
func (k Keyring) TokenSign(kid, typ, claims string) (string, int32) {
	kp, kn := in(kid)
	tp, tn := in(typ)
	cp, cn := in(claims)
	out, status := room(C.donjon_token_sign_bound(tn, cn))
	if status != StatusOK {
		return "", status
	}
	var n C.size_t
	code := C.donjon_token_sign(k.p, kp, kn, tp, tn, cp, cn, start(out), C.size_t(len(out)), &n)
	return written(out, n, code)
}
