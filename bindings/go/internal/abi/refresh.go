package abi

// #include <donjon.h>
import "C"

// RefreshStateSize is how long the state of a family is.
const RefreshStateSize = C.DONJON_REFRESH_STATE_LEN

// RefreshBegin is donjon_refresh_begin.
func RefreshBegin(nowMS int64) (state []byte, status int32) {
	state = make([]byte, RefreshStateSize)
	status = int32(C.donjon_refresh_begin(C.int64_t(nowMS), start(state)))
	return state, status
}

// RefreshFamily is donjon_refresh_family.
func RefreshFamily(state string) (string, int32) {
	p, n := in(state)
	name, status := filled(22, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_refresh_family(p, n, out, size, written)
	})
	return Text(name), status
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
		State:   copied(&verdict.state[0], RefreshStateSize),
	}, status
}

// RefreshRevoke is donjon_refresh_revoke.
func RefreshRevoke(state string) (revoked []byte, status int32) {
	p, n := in(state)
	revoked = make([]byte, RefreshStateSize)
	status = int32(C.donjon_refresh_revoke(p, n, start(revoked)))
	return revoked, status
}
