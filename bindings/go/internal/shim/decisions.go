package shim

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

func refreshRotate(r *request) func(*answer) error {
	use := donjon.RefreshUse{
		State:      r.hexOrNull("state_hex"),
		Family:     r.text("family"),
		Generation: r.int("generation"),
		Now:        time.UnixMilli(r.int("now_ms")),
		Grace:      duration(r.int("grace_ms"), time.Millisecond),
	}
	return func(a *answer) error {
		verdict, err := donjon.DecideRefresh(use)
		if err != nil {
			return err
		}
		status := "ok"
		if refusal, ok := verdict.Refusal.(*donjon.Error); ok {
			status = refusal.Code.String()
		}
		a.string("status", status)
		a.bool("changed", verdict.Changed)
		a.hex("state_hex", verdict.State)
		return nil
	}
}

func revocationCheck(r *request) func(*answer) error {
	skew := duration(r.int("skew_s"), time.Second)
	facts := donjon.RevocationFacts{
		IssuedAt:      r.timeOrNull("issued_at_s"),
		SubjectSince:  r.timeOrNull("subject_since_s"),
		StoreSince:    r.timeOrNull("store_since_s"),
		Skew:          skew,
		NoSkew:        skew == 0,
		TokenRevoked:  r.bool("token_revoked"),
		FamilyRevoked: r.bool("family_revoked"),
		KeyRevoked:    r.bool("key_revoked"),
	}
	return func(*answer) error { return donjon.CheckRevocation(facts) }
}

var jwksEvents = map[string]int32{
	"unknown_key": abi.JWKSUnknownKey,
	"periodic":    abi.JWKSPeriodic,
	"fetched":     abi.JWKSFetched,
	"failed":      abi.JWKSFailed,
}

// jwksRefresh asks the kernel what a [donjon.JWKSClient] asks it: the package
// offers the client, not the decision.
func jwksRefresh(r *request) func(*answer) error {
	state := r.hexOrNull("state_hex")
	event, ok := jwksEvents[r.text("event")]
	if !ok {
		r.bad()
	}
	now, cooldown, maxAge := r.int("now_ms"), r.int("cooldown_ms"), r.int("max_age_ms")
	return func(a *answer) error {
		verdict, status := abi.JWKSRefresh(abi.Text(state), event, now, cooldown, maxAge)
		if status != abi.StatusOK {
			return &donjon.Error{Code: donjon.Code(status)}
		}
		a.bool("fetch", verdict.Fetch)
		a.int("retry_after_ms", verdict.RetryAfterMS)
		a.hex("state_hex", verdict.State)
		return nil
	}
}
