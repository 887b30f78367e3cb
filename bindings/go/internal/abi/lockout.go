package abi

/*
#include <donjon.h>

#cgo nocallback donjon_lockout_free
*/
import "C"

// Lockout is a donjon_lockout.
type Lockout struct{ p *C.donjon_lockout }

// devicePurposeLen is how long the purpose "device" is, whose bound is a device token's.
const devicePurposeLen = 6

// LogIn is what a log-in attempt is charged by.
type LogIn struct {
	Account, Address       string
	Subject, State, Device string
}

// NewLockout is donjon_lockout_new.
func NewLockout(k Keyring) (l Lockout, status int32) {
	status = int32(C.donjon_lockout_new(k.p, &l.p))
	return l, status
}

// Counters is donjon_lockout_counters: a JSON list.
func (l Lockout) Counters(a LogIn, now int64) ([]byte, int32) {
	cp, cn := in(a.Account)
	ap, an := in(a.Address)
	up, un := in(a.Subject)
	sp, sn := in(a.State)
	dp, dn := in(a.Device)
	return filled(limitAnswerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_lockout_counters(l.p, cp, cn, ap, an, up, un, sp, sn, dp, dn,
			C.int64_t(now), out, size, written)
	})
}

// DeviceToken is donjon_lockout_device_token.
func (l Lockout) DeviceToken(subject, state string, ttl, now int64) (string, int32) {
	up, un := in(subject)
	sp, sn := in(state)
	out, status := room(C.donjon_purpose_tokens_bound(devicePurposeLen, un))
	if status != StatusOK {
		return "", status
	}
	var n C.size_t
	code := C.donjon_lockout_device_token(l.p, up, un, sp, sn,
		C.int64_t(ttl), C.int64_t(now), start(out), C.size_t(len(out)), &n)
	return written(out, n, code)
}

// Free is donjon_lockout_free.
func (l Lockout) Free() { C.donjon_lockout_free(l.p) }
