package donjon

import (
	"cmp"
	"strconv"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A Verdict is what the kernel says about a cost. Of several limits at once it is
// about the one that refuses for the longest or, if none does, has the least left.
type Verdict struct {
	Allowed      bool
	NeverAllowed bool // the cost is more than the limit ever has
	TableFull    bool // decided by [LimitTableOptions.AllowWhenFull], for lack of room

	Index     int    // which of the limits this is about
	Limit     uint32 // what the limit has when nothing is spent
	Remaining uint32 // what it has left

	ResetAfter time.Duration // until all of it is there again; 292 years if longer, as the others
	RetryAfter time.Duration // until the same cost is allowed if nobody else spends; 0 if allowed, negative if never
	Keep       time.Duration // for how long a store has to keep the state

	At time.Time // when, by the clock that was decided by

	exact *abi.LimitVerdict // nil unless a duration is longer than the type can be
}

// verdictAt is the kernel's verdict at a time.
func verdictAt(v abi.LimitVerdict, nowMS int64) Verdict {
	verdict := Verdict{
		Allowed: v.Allowed, NeverAllowed: v.NeverAllowed, TableFull: v.TableFull,
		Index: int(v.Index), Limit: v.Limit, Remaining: v.Remaining,
		ResetAfter: milliseconds(v.ResetAfterMS),
		RetryAfter: milliseconds(v.RetryAfterMS),
		Keep:       milliseconds(v.KeepMS),
		At:         time.UnixMilli(nowMS),
	}
	if max(v.ResetAfterMS, v.RetryAfterMS, v.KeepMS) > longestMS {
		exact := v // which escapes, but v itself does not
		verdict.exact = &exact
	}
	return verdict
}

func (v *Verdict) kernel() abi.LimitVerdict {
	if v.exact != nil {
		return *v.exact
	}
	retryAfter := v.RetryAfter.Milliseconds()
	if v.NeverAllowed {
		retryAfter = -1
	}
	return abi.LimitVerdict{
		Allowed: v.Allowed, NeverAllowed: v.NeverAllowed, TableFull: v.TableFull,
		Index: uint32(max(v.Index, 0)), Limit: v.Limit, Remaining: v.Remaining,
		ResetAfterMS: v.ResetAfter.Milliseconds(), RetryAfterMS: retryAfter, KeepMS: v.Keep.Milliseconds(),
	}
}

// LimitHeaders are the fields of a response that tell a client about its limits.
type LimitHeaders uint32

// The fields, to be joined by |; none of them means [XRateLimit]. Retry-After is
// there whenever a cost was refused that will be allowed.
const (
	XRateLimit    LimitHeaders = abi.LimitHeadersX    // X-RateLimit-Limit, -Remaining and -Reset, in epoch seconds
	IETFRateLimit LimitHeaders = abi.LimitHeadersIETF // RateLimit and RateLimit-Policy
)

// Headers returns the names and values of the fields that tell a client about v,
// which is a verdict about l.
func (l *Limits) Headers(v Verdict, fields LimitHeaders) ([][2]string, error) {
	fields = cmp.Or(fields, XRateLimit)
	return decodedList[[2]string](l.answer(func(limits abi.Limits) ([]byte, int32) {
		return limits.Headers(v.kernel(), v.At.UnixMilli(), uint32(fields))
	}))
}

// Refusal returns the JSON object that tells a client that v is a refusal:
// {"error":{"code":…,"message":…,"details":{…}}}. If code is empty, it is
// "rate_limited".
func (v Verdict) Refusal(code string) ([]byte, error) {
	text, status := abi.LimitsRefusal(v.kernel(), v.At.UnixMilli(), code)
	return text, failure(status)
}

// MarshalJSON implements [encoding/json.Marshaler]: v by the names that the kernel
// has for its members, with times in milliseconds.
func (v Verdict) MarshalJSON() ([]byte, error) {
	var d document
	exact := v.kernel()
	d.raw("allowed", strconv.FormatBool(exact.Allowed))
	d.raw("never_allowed", strconv.FormatBool(exact.NeverAllowed))
	d.raw("table_full", strconv.FormatBool(exact.TableFull))
	d.number("limit", int64(exact.Limit))
	d.number("remaining", int64(exact.Remaining))
	d.number("index", int64(exact.Index))
	d.number("reset_after_ms", exact.ResetAfterMS)
	if exact.NeverAllowed {
		d.raw("retry_after_ms", "null")
	} else {
		d.number("retry_after_ms", exact.RetryAfterMS)
	}
	d.number("keep_ms", exact.KeepMS)
	d.number("at_ms", v.At.UnixMilli())
	return []byte(d.end()), nil
}
