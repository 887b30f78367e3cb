package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// A HashPreset names the parameters of Argon2id that somebody recommends.
type HashPreset string

// The presets.
const (
	PresetDefault          HashPreset = "default"            // 64 MiB, 3 passes, 1 lane
	PresetOWASP            HashPreset = "owasp"              // 19 MiB, 2 passes, 1 lane
	PresetRFC9106          HashPreset = "rfc9106"            // 2 GiB, 1 pass, 4 lanes; needs that much of a budget
	PresetRFC9106LowMemory HashPreset = "rfc9106-low-memory" // 64 MiB, 3 passes, 4 lanes
)

// A LegacyScheme is how another library stored passwords. Such hashes are
// verified if they are asked for, ask to be rehashed, and are never made.
type LegacyScheme string

// The legacy schemes, in the formats of passlib and Django.
const (
	LegacyBcrypt  LegacyScheme = "bcrypt" // looks at the first 72 bytes only: see [Verification]
	LegacyPBKDF2  LegacyScheme = "pbkdf2" // with SHA-256 or SHA-512
	LegacyScrypt  LegacyScheme = "scrypt"
	LegacyArgon2i LegacyScheme = "argon2i"
	LegacyArgon2d LegacyScheme = "argon2d"
)

// HasherOptions say how a [Hasher] hashes. What is zero is as the preset has it.
type HasherOptions struct {
	// Preset is what the other members depart from; if empty, [PresetDefault].
	Preset HashPreset

	// MemoryKiB, TimeCost and Parallelism are the parameters of Argon2id, and
	// HashLen and SaltLen lengths in bytes. What is weaker than OWASP recommends
	// is [ErrConfig].
	MemoryKiB, TimeCost, Parallelism uint32
	HashLen, SaltLen                 uint32

	// AllowWeak lets weaker parameters pass, for tests that shall be fast.
	AllowWeak bool

	// MemoryBudgetKiB is how much memory all hashes at once may take; if zero,
	// 256 MiB. As many run at once as fit into it, but no more than there are
	// processors to run them.
	MemoryBudgetKiB uint32

	// MaxWait is how long a call waits for its turn, in whole milliseconds up to
	// a minute, before it ends in [ErrBusy]; if zero, ten seconds.
	MaxWait time.Duration
	NoWait  bool // it is busy at once; MaxWait is then zero

	// Legacy lists the schemes that are verified besides Argon2id. A hash of any
	// other is [ErrUnsupported].
	Legacy []LegacyScheme

	// Peppers is a keyring with keys for [PurposePasswordPepper], or nil. New
	// hashes need its primary key, older ones the key that they name.
	Peppers *Keyring
}

func (o *HasherOptions) document() (string, error) {
	var d document
	if o.Preset != "" {
		d.string("preset", string(o.Preset))
	}
	for _, member := range []struct {
		name  string
		value uint32
	}{
		{"memory_kib", o.MemoryKiB},
		{"time_cost", o.TimeCost},
		{"parallelism", o.Parallelism},
		{"hash_len", o.HashLen},
		{"salt_len", o.SaltLen},
		{"memory_budget_kib", o.MemoryBudgetKiB},
	} {
		if member.value != 0 {
			d.number(member.name, int64(member.value))
		}
	}
	switch {
	case o.NoWait && o.MaxWait != 0:
		return "", misconfigured("max_wait_ms", "given, and waived")
	case o.NoWait:
		d.number("max_wait_ms", 0)
	default:
		if err := d.duration("max_wait_ms", o.MaxWait, time.Millisecond); err != nil {
			return "", err
		}
	}
	if len(o.Legacy) > 0 {
		d.raw("legacy", string(quote.AppendAll(nil, o.Legacy)))
	}
	if o.AllowWeak {
		d.raw("allow_weak", "true")
	}
	return d.end(), nil
}
