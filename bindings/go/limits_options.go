package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A LimitAlgorithm is how limits of N in a period are decided. They differ in what
// they admit in the worst window of one period.
type LimitAlgorithm string

// The algorithms.
const (
	GCRA          LimitAlgorithm = "gcra"           // N + burst - 1, spread evenly: the default
	TokenBucket   LimitAlgorithm = "token_bucket"   // the same, by its other name
	FixedWindow   LimitAlgorithm = "fixed_window"   // 2N
	SlidingWindow LimitAlgorithm = "sliding_window" // less than 2N
	SlidingLog    LimitAlgorithm = "sliding_log"    // N exactly, up to 64, in a larger state
)

// LimitsOptions say what [NewLimits] makes.
type LimitsOptions struct {
	// Limits are written as [ParseLimits] reads them.
	Limits string `json:"limits"`

	// Algorithm is how they are decided; if empty, [GCRA].
	Algorithm LimitAlgorithm `json:"algorithm"`

	// Burst is how much may come at once, for one limit by [GCRA] or
	// [TokenBucket]; if zero, as much as the limit has in a period.
	Burst uint32 `json:"burst"`
}

func (o *LimitsOptions) document() string {
	var d document
	d.string("limits", o.Limits)
	if o.Algorithm != "" {
		d.string("algorithm", string(o.Algorithm))
	}
	if o.Burst != 0 {
		d.number("burst", int64(o.Burst))
	}
	return d.end()
}

// LockoutLimitsOptions say what [LockoutLimits] makes. What is zero is as the
// kernel has it.
type LockoutLimitsOptions struct {
	// Attempts is how many may fail before the lock; if zero, 5.
	Attempts uint32

	// Lock is how long the lock holds, in whole seconds; if zero, 15 minutes.
	// Failures are forgotten as long after the last one.
	Lock time.Duration

	// Growth is by how much each lock is longer than the last; if zero, 1, which is
	// no growth. MaxLock is the longest; if zero, a day.
	Growth  uint32
	MaxLock time.Duration
}

func (o *LockoutLimitsOptions) document() (string, error) {
	var lockout document
	if o.Attempts != 0 {
		lockout.number("attempts", int64(o.Attempts))
	}
	if err := lockout.duration("lock_s", o.Lock, time.Second); err != nil {
		return "", err
	}
	if o.Growth != 0 {
		lockout.number("growth", int64(o.Growth))
	}
	if err := lockout.duration("max_lock_s", o.MaxLock, time.Second); err != nil {
		return "", err
	}
	members := lockout.end()
	if members == "" {
		members = "{}"
	}
	var d document
	d.raw("lockout", members)
	return d.end(), nil
}

// LimitProfiles returns the limits of endpoints that the kernel has ready, by the
// names that [LimitProfile] takes.
func LimitProfiles() (map[string]LimitsOptions, error) {
	groups, err := decoded[map[string]map[string]LimitsOptions](LimitProfilesJSON())
	if err != nil {
		return nil, err
	}
	profiles := make(map[string]LimitsOptions)
	for group, endpoints := range *groups {
		for endpoint, opts := range endpoints {
			profiles[group+"/"+endpoint] = opts
		}
	}
	return profiles, nil
}

// LimitProfilesJSON is [LimitProfiles] as a JSON object of JSON objects, by what
// stands before the slash and what after.
func LimitProfilesJSON() ([]byte, error) {
	text, status := abi.LimitProfiles()
	return text, failure(status)
}
