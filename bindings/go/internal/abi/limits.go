package abi

/*
#include <donjon.h>

#cgo noescape donjon_limits_spend
#cgo nocallback donjon_limits_spend
#cgo noescape donjon_limits_give_back
#cgo nocallback donjon_limits_give_back
#cgo nocallback donjon_limits_free
*/
import "C"

// Limits is a donjon_limits.
type Limits struct{ p *C.donjon_limits }

// The header fields that donjon_limits_headers writes.
const (
	LimitHeadersX    = C.DONJON_LIMIT_HEADERS_X
	LimitHeadersIETF = C.DONJON_LIMIT_HEADERS_IETF
)

// The longest of what the kernel answers about most limits: a state of one limit,
// the arguments of a script, the fields of a response.
const (
	limitStateSize  = 64
	limitAnswerSize = 512
)

// LimitVerdict is donjon_limit_verdict.
type LimitVerdict struct {
	Allowed, NeverAllowed, TableFull   bool
	Limit, Remaining, Index            uint32
	ResetAfterMS, RetryAfterMS, KeepMS int64
}

func limitVerdict(v *C.donjon_limit_verdict) LimitVerdict {
	return LimitVerdict{
		Allowed: v.allowed != 0, NeverAllowed: v.never_allowed != 0, TableFull: v.table_full != 0,
		Limit: uint32(v.limit), Remaining: uint32(v.remaining), Index: uint32(v.index),
		ResetAfterMS: int64(v.reset_after_ms), RetryAfterMS: int64(v.retry_after_ms), KeepMS: int64(v.keep_ms),
	}
}

func (v LimitVerdict) kernel() C.donjon_limit_verdict {
	return C.donjon_limit_verdict{
		allowed: C.uint32_t(flag(v.Allowed)), never_allowed: C.uint32_t(flag(v.NeverAllowed)), table_full: C.uint32_t(flag(v.TableFull)),
		limit: C.uint32_t(v.Limit), remaining: C.uint32_t(v.Remaining), index: C.uint32_t(v.Index),
		reset_after_ms: C.int64_t(v.ResetAfterMS), retry_after_ms: C.int64_t(v.RetryAfterMS), keep_ms: C.int64_t(v.KeepMS),
	}
}

// NewLimits is donjon_limits_new.
func NewLimits(config string) (l Limits, status int32) {
	p, n := in(config)
	status = int32(C.donjon_limits_new(p, n, &l.p))
	return l, status
}

// LimitsDiagnose is donjon_limits_diagnose.
func LimitsDiagnose(config string) ([]byte, int32) {
	p, n := in(config)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_limits_diagnose(p, n, out, size, written)
	})
}

// LimitProfiles is donjon_limit_profiles.
func LimitProfiles() ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_limit_profiles(out, size, written)
	})
}

// CompareAndSetScript is donjon_compare_and_set_script.
func CompareAndSetScript() ([]byte, int32) {
	return filled(limitAnswerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_compare_and_set_script(out, size, written)
	})
}

// Describe is donjon_limits_describe.
func (l Limits) Describe() ([]byte, int32) {
	return filled(limitAnswerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_limits_describe(l.p, out, size, written)
	})
}

// Spend is donjon_limits_spend. It returns the next state.
func (l Limits) Spend(state string, nowMS int64, cost uint32) (v LimitVerdict, next []byte, status int32) {
	p, n := in(state)
	var verdict C.donjon_limit_verdict
	next, status = filled(max(limitStateSize, len(state)), func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_limits_spend(l.p, p, n, C.int64_t(nowMS), C.uint32_t(cost), &verdict, out, size, written)
	})
	return limitVerdict(&verdict), next, status
}

// GiveBack is donjon_limits_give_back. It returns the next state.
func (l Limits) GiveBack(state string, spentAtMS, nowMS int64, cost uint32) ([]byte, int32) {
	p, n := in(state)
	return filled(max(limitStateSize, len(state)), func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_limits_give_back(l.p, p, n,
			C.int64_t(spentAtMS), C.int64_t(nowMS), C.uint32_t(cost), out, size, written)
	})
}

// Script is donjon_limits_script.
func (l Limits) Script() ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_limits_script(l.p, out, size, written)
	})
}

// ScriptArgs is donjon_limits_script_args: a JSON list of texts.
func (l Limits) ScriptArgs(cost uint32, nowMS int64) ([]byte, int32) {
	return filled(limitAnswerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_limits_script_args(l.p, C.uint32_t(cost), C.int64_t(nowMS), out, size, written)
	})
}

// Headers is donjon_limits_headers: a JSON list of names and values.
func (l Limits) Headers(v LimitVerdict, nowMS int64, fields uint32) ([]byte, int32) {
	verdict := v.kernel()
	return filled(limitAnswerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_limits_headers(l.p, &verdict, C.int64_t(nowMS), C.uint32_t(fields), out, size, written)
	})
}

// LimitsRefusal is donjon_limits_refusal: a JSON object.
func LimitsRefusal(v LimitVerdict, nowMS int64, code string) ([]byte, int32) {
	verdict := v.kernel()
	p, n := in(code)
	return filled(limitAnswerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_limits_refusal(&verdict, C.int64_t(nowMS), p, n, out, size, written)
	})
}

// Free is donjon_limits_free.
func (l Limits) Free() { C.donjon_limits_free(l.p) }
