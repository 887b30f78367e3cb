// Package abi is the C ABI of the kernel as Go functions, one for one. All calls
// through cgo and all uses of unsafe of this module are here.
//
// Inputs are strings, which the kernel reads in place and never keeps. Statuses
// are the kernel's numbers; everything else that a function returns means
// nothing unless the status is [StatusOK]. Handles have no owner here: package
// donjon sees to it that none is used after it was freed.
package abi

/*
#include <donjon.h>

// No function of the kernel keeps a pointer or calls back into Go.
#cgo noescape donjon_issuer_access
#cgo noescape donjon_issuer_refresh
#cgo noescape donjon_purpose_tokens_check
#cgo noescape donjon_revocation_check
#cgo noescape donjon_verifier_verify
#cgo nocallback donjon_issuer_access
#cgo nocallback donjon_issuer_bound
#cgo nocallback donjon_issuer_refresh
#cgo nocallback donjon_purpose_tokens_check
#cgo nocallback donjon_revocation_check
#cgo nocallback donjon_verifier_verify
*/
import "C"

import (
	"encoding/base64"
	"fmt"
	"unsafe"
)

// Numbers that package donjon needs by name.
const (
	StatusOK              = C.DONJON_OK
	StatusInvalidArgument = C.DONJON_INVALID_ARGUMENT
	StatusTooLarge        = C.DONJON_TOO_LARGE
	StatusUnsupported     = C.DONJON_UNSUPPORTED

	Never            = int64(C.DONJON_NEVER)
	TokenMax         = C.DONJON_TOKEN_MAX
	RefreshStateSize = C.DONJON_REFRESH_STATE_LEN
	JWKSStateSize    = C.DONJON_JWKS_STATE_LEN

	JWKSUnknownKey = C.DONJON_JWKS_UNKNOWN_KEY
	JWKSPeriodic   = C.DONJON_JWKS_PERIODIC
	JWKSFetched    = C.DONJON_JWKS_FETCHED
	JWKSFailed     = C.DONJON_JWKS_FAILED
)

func init() {
	if got := C.donjon_abi_version(); got != C.DONJON_ABI_VERSION {
		panic(fmt.Sprintf("donjon: the library speaks ABI version %d, this package %d", got, C.DONJON_ABI_VERSION))
	}
}

// Version returns the kernel's version.
func Version() string { return C.GoString(C.donjon_version()) }

// StatusName returns the pinned name of status.
func StatusName(status int32) string { return C.GoString(C.donjon_status_str(C.int32_t(status))) }

// StatusMessage returns the operator's sentence about status.
func StatusMessage(status int32) string {
	return C.GoString(C.donjon_status_message(C.int32_t(status)))
}

// StatusHTTP returns what a web service answers on status.
func StatusHTTP(status int32) int { return int(C.donjon_status_http(C.int32_t(status))) }

// Text views b as a string without copying it. The caller must not change b
// for as long as it uses the string.
func Text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// in is how the ABI takes a text: where it starts and how long it is.
func in(s string) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.StringData(s)), C.size_t(len(s))
}

// start is where an output buffer starts.
func start(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(b)) }

// filled calls with a buffer of size bytes, and once more with what the kernel
// asks for if that is too small.
func filled(size int, call func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t) ([]byte, int32) {
	out := make([]byte, size)
	var n C.size_t
	status := call(start(out), C.size_t(len(out)), &n)
	if status == C.DONJON_BUFFER_TOO_SMALL {
		out = make([]byte, n)
		status = call(start(out), C.size_t(len(out)), &n)
	}
	if status != C.DONJON_OK {
		return nil, int32(status)
	}
	return out[:n], StatusOK
}

// room makes a buffer for a token that needs at most bound bytes. The kernel
// makes no token that needs more than two of the longest.
func room(bound C.size_t) ([]byte, int32) {
	if bound > 2*TokenMax {
		return nil, StatusTooLarge
	}
	return make([]byte, bound), StatusOK
}

// written is the text that the kernel wrote to out.
func written(out []byte, n C.size_t, status C.int32_t) (string, int32) {
	if status != C.DONJON_OK {
		return "", int32(status)
	}
	return Text(out[:n]), StatusOK
}

// Keyring is a donjon_keyring.
type Keyring struct{ p *C.donjon_keyring }

// KeyringGenerate is donjon_keyring_generate.
func KeyringGenerate(spec string, now int64) (k Keyring, status int32) {
	p, n := in(spec)
	status = int32(C.donjon_keyring_generate(p, n, C.int64_t(now), &k.p))
	return k, status
}

// KeyringFromJWKS is donjon_keyring_from_jwks.
func KeyringFromJWKS(jwks string) (k Keyring, status int32) {
	p, n := in(jwks)
	status = int32(C.donjon_keyring_from_jwks(p, n, &k.p))
	return k, status
}

// KeyringFromMaster is donjon_keyring_from_master.
func KeyringFromMaster(master, config string) (k Keyring, status int32) {
	p, n := in(master)
	cp, cn := in(config)
	status = int32(C.donjon_keyring_from_master(p, n, cp, cn, &k.p))
	return k, status
}

// KeyringFromSecret is donjon_keyring_from_secret.
func KeyringFromSecret(secret, alg, kid string) (k Keyring, status int32) {
	p, n := in(secret)
	ap, an := in(alg)
	kp, kn := in(kid)
	status = int32(C.donjon_keyring_from_secret(p, n, ap, an, kp, kn, &k.p))
	return k, status
}

// KeyringFromPEM is donjon_keyring_from_pem.
func KeyringFromPEM(pem, alg, kid string) (k Keyring, status int32) {
	p, n := in(pem)
	ap, an := in(alg)
	kp, kn := in(kid)
	status = int32(C.donjon_keyring_from_pem(p, n, ap, an, kp, kn, &k.p))
	return k, status
}

// Import is donjon_keyring_import.
func (k Keyring) Import(jwk string) (next Keyring, status int32) {
	p, n := in(jwk)
	status = int32(C.donjon_keyring_import(k.p, p, n, &next.p))
	return next, status
}

// Rotate is donjon_keyring_rotate.
func (k Keyring) Rotate(purpose, alg string, now, overlap int64) (next Keyring, status int32) {
	p, n := in(purpose)
	ap, an := in(alg)
	status = int32(C.donjon_keyring_rotate(k.p, p, n, ap, an, C.int64_t(now), C.int64_t(overlap), &next.p))
	return next, status
}

// SetStatus is donjon_keyring_set_status.
func (k Keyring) SetStatus(kid, keyStatus string, notAfter int64) (next Keyring, status int32) {
	p, n := in(kid)
	sp, sn := in(keyStatus)
	status = int32(C.donjon_keyring_set_status(k.p, p, n, sp, sn, C.int64_t(notAfter), &next.p))
	return next, status
}

// ToJWKS is donjon_keyring_to_jwks.
func (k Keyring) ToJWKS() ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_keyring_to_jwks(k.p, out, size, n)
	})
}

// PublicJWKS is donjon_keyring_public_jwks.
func (k Keyring) PublicJWKS(now int64) ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_keyring_public_jwks(k.p, C.int64_t(now), out, size, n)
	})
}

// Summary is donjon_keyring_summary.
func (k Keyring) Summary() ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_keyring_summary(k.p, out, size, n)
	})
}

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

// JWSVerify is donjon_jws_verify.
func (k Keyring) JWSVerify(algorithms, jws string, now int64) (payload, alg, kid string, status int32) {
	ap, an := in(algorithms)
	p, n := in(jws)
	var info C.donjon_jws
	out, status := filled(min(len(jws), TokenMax)+keyIDMax, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_jws_verify(k.p, ap, an, p, n, C.int64_t(now), &info, out, size, written)
	})
	if status != StatusOK {
		return "", "", "", status
	}
	text := Text(out)
	payload, _ = span(info.payload).In(text)
	alg, _ = span(info.alg).In(text)
	kid, _ = span(info.key_id).In(text)
	return payload, alg, kid, status
}

// keyIDMax is how much room key ids and algorithm names may take.
const keyIDMax = 256

func span(s C.donjon_span) Span { return Span{uint32(s.offset), uint32(s.length)} }

// Free is donjon_keyring_free.
func (k Keyring) Free() { C.donjon_keyring_free(k.p) }

// UnverifiedHeader is donjon_jws_unverified_header.
func UnverifiedHeader(jws string) ([]byte, int32) {
	p, n := in(jws)
	return filled(0, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_jws_unverified_header(p, n, out, size, written)
	})
}

// Issuer is a donjon_issuer.
type Issuer struct{ p *C.donjon_issuer }

// NewIssuer is donjon_issuer_new.
func NewIssuer(k Keyring, config string) (i Issuer, status int32) {
	p, n := in(config)
	status = int32(C.donjon_issuer_new(k.p, p, n, &i.p))
	return i, status
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

// Verifier is a donjon_verifier.
type Verifier struct{ p *C.donjon_verifier }

// NewVerifier is donjon_verifier_new.
func NewVerifier(k Keyring, config string) (v Verifier, status int32) {
	p, n := in(config)
	status = int32(C.donjon_verifier_new(k.p, p, n, &v.p))
	return v, status
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
		(*C.donjon_claims)(unsafe.Pointer(claims)), start(out), C.size_t(len(out)), &length)
	return length, status
}

// Free is donjon_verifier_free.
func (v Verifier) Free() { C.donjon_verifier_free(v.p) }

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

// RefreshBegin is donjon_refresh_begin.
func RefreshBegin(nowMS int64) (state []byte, status int32) {
	state = make([]byte, RefreshStateSize)
	status = int32(C.donjon_refresh_begin(C.int64_t(nowMS), start(state)))
	return state, status
}

// RefreshFamily is the text of the claim "family" of state's tokens: its last
// sixteen bytes, in base64url.
func RefreshFamily(state []byte) string {
	return base64.RawURLEncoding.EncodeToString(state[RefreshStateSize-16:])
}

// RefreshVerdict is donjon_refresh_verdict.
type RefreshVerdict struct {
	Status  int32
	Changed bool
	State   []byte
}

// RefreshRotate is donjon_refresh_rotate.
func RefreshRotate(state, family string, generation, nowMS, graceMS int64) (v RefreshVerdict, status int32) {
	p, n := in(state)
	fp, fn := in(family)
	var verdict C.donjon_refresh_verdict
	status = int32(C.donjon_refresh_rotate(p, n, fp, fn, C.int64_t(generation), C.int64_t(nowMS), C.int64_t(graceMS), &verdict))
	return RefreshVerdict{
		Status:  int32(verdict.status),
		Changed: verdict.changed != 0,
		State:   C.GoBytes(unsafe.Pointer(&verdict.state), RefreshStateSize),
	}, status
}

// RefreshRevoke is donjon_refresh_revoke.
func RefreshRevoke(state string) (revoked []byte, status int32) {
	p, n := in(state)
	revoked = make([]byte, RefreshStateSize)
	status = int32(C.donjon_refresh_revoke(p, n, start(revoked)))
	return revoked, status
}

// RevocationFacts is donjon_revocation_facts.
type RevocationFacts struct {
	IssuedAt, SubjectSince, StoreSince, Skew int64

	TokenRevoked, FamilyRevoked, KeyRevoked bool
}

// RevocationCheck is donjon_revocation_check.
func RevocationCheck(f RevocationFacts) int32 {
	facts := C.donjon_revocation_facts{
		issued_at_s:     C.int64_t(f.IssuedAt),
		subject_since_s: C.int64_t(f.SubjectSince),
		store_since_s:   C.int64_t(f.StoreSince),
		skew_s:          C.int64_t(f.Skew),
		token_revoked:   flag(f.TokenRevoked),
		family_revoked:  flag(f.FamilyRevoked),
		key_revoked:     flag(f.KeyRevoked),
	}
	return int32(C.donjon_revocation_check(&facts))
}

func flag(b bool) C.uint8_t {
	if b {
		return 1
	}
	return 0
}

// JWKSVerdict is donjon_jwks_verdict.
type JWKSVerdict struct {
	Fetch        bool
	RetryAfterMS int64
	State        []byte
}

// JWKSRefresh is donjon_jwks_refresh.
func JWKSRefresh(state string, event int32, nowMS, cooldownMS, maxAgeMS int64) (v JWKSVerdict, status int32) {
	p, n := in(state)
	var verdict C.donjon_jwks_verdict
	status = int32(C.donjon_jwks_refresh(p, n, C.int32_t(event), C.int64_t(nowMS), C.int64_t(cooldownMS), C.int64_t(maxAgeMS), &verdict))
	return JWKSVerdict{
		Fetch:        verdict.fetch != 0,
		RetryAfterMS: int64(verdict.retry_after_ms),
		State:        C.GoBytes(unsafe.Pointer(&verdict.state), JWKSStateSize),
	}, status
}
