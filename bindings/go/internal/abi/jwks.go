package abi

// #include <donjon.h>
import "C"

// What can happen to a key set.
const (
	JWKSUnknownKey = C.DONJON_JWKS_UNKNOWN_KEY
	JWKSPeriodic   = C.DONJON_JWKS_PERIODIC
	JWKSFetched    = C.DONJON_JWKS_FETCHED
	JWKSFailed     = C.DONJON_JWKS_FAILED
)

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
		State:        copied(&verdict.state[0], C.DONJON_JWKS_STATE_LEN),
	}, status
}
