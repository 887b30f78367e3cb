package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// DefaultRevocationSkew is how much the clocks of issuers may differ.
const DefaultRevocationSkew = 2 * time.Second

// RevocationFacts are what a host knows of a verified token's revocation. With
// the zero value, every token is revoked.
type RevocationFacts struct {
	// IssuedAt is [Claims.IssuedAt]. That it is zero is [ErrMissingClaim].
	IssuedAt time.Time

	// SubjectSince is when the subject was last logged out everywhere; zero if
	// never. Tokens from before are revoked. To log out everywhere, store the
	// present or, if that is no later, a second after what is stored: then the
	// second time within one second revokes what was issued since the first.
	SubjectSince time.Time

	// StoreSince is when the revocation store was set up, as a marker in the
	// store says. If the marker is gone, and so StoreSince zero, the store has
	// forgotten what was revoked: every token is.
	StoreSince time.Time

	// Skew is how much the clocks of issuers may differ, in whole seconds up to
	// five minutes; if zero, [DefaultRevocationSkew]. Issuers stamp for the
	// default: with more, a log-in within that time after logging out everywhere
	// is refused.
	Skew   time.Duration
	NoSkew bool // they do not differ; Skew is then zero

	// TokenRevoked, FamilyRevoked and KeyRevoked say whether the store lists the
	// token's id, its family or its key.
	TokenRevoked, FamilyRevoked, KeyRevoked bool
}

// CheckRevocation returns nil if the token lives, and [ErrRevoked] if not.
func CheckRevocation(f RevocationFacts) error {
	switch {
	case f.NoSkew && f.Skew != 0:
		return ErrInvalidArgument
	case !f.NoSkew && f.Skew == 0:
		f.Skew = DefaultRevocationSkew
	}
	skew, err := whole(f.Skew, time.Second)
	if err != nil {
		return err
	}
	return failure(abi.RevocationCheck(abi.RevocationFacts{
		IssuedAt:      optionalSeconds(f.IssuedAt),
		SubjectSince:  optionalSeconds(f.SubjectSince),
		StoreSince:    optionalSeconds(f.StoreSince),
		Skew:          skew,
		TokenRevoked:  f.TokenRevoked,
		FamilyRevoked: f.FamilyRevoked,
		KeyRevoked:    f.KeyRevoked,
	}))
}
