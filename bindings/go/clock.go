package donjon

import (
	"math"
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

// optionalMilliseconds returns t in Unix milliseconds; the zero time is no time.
func optionalMilliseconds(t time.Time) int64 {
	if t.IsZero() {
		return abi.Never
	}
	return t.UnixMilli()
}

// sinceMS returns t in Unix milliseconds; the zero time is the beginning.
func sinceMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// longestMS is how many milliseconds a duration can be.
const longestMS = math.MaxInt64 / int64(time.Millisecond)

// milliseconds is n of them, or as many as a duration can be.
func milliseconds(n int64) time.Duration {
	if n > longestMS {
		return math.MaxInt64
	}
	return time.Duration(n) * time.Millisecond
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

// A steadyClock tells the time of day that it was made at and the time since,
// which setting the system's clock does not change.
type steadyClock struct {
	start time.Time
}

func (c *steadyClock) nowMS() int64 {
	return (c.start.UnixNano() + int64(time.Since(c.start))) / int64(time.Millisecond)
}
