package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// nowOr returns t, or the present if t is zero.
func nowOr(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}

// optionalSeconds returns t in Unix seconds; the zero time is no time.
func optionalSeconds(t time.Time) int64 {
	if t.IsZero() {
		return abi.Never
	}
	return t.Unix()
}

// optionalTime is the inverse of optionalSeconds.
func optionalTime(s int64) time.Time {
	if s == abi.Never {
		return time.Time{}
	}
	return time.Unix(s, 0)
}

// whole returns d in units, and refuses to round it.
func whole(d, unit time.Duration) (int64, error) {
	if d%unit != 0 {
		return 0, ErrInvalidArgument
	}
	return int64(d / unit), nil
}
