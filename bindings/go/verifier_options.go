package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// VerifierOptions say what a [Verifier] expects of a token. Issuer, audience and
// type are each given or waived; giving and waiving one is [ErrConfig], and so
// is neither.
type VerifierOptions struct {
	// Issuer is who must have issued the token, compared exactly.
	Issuer    string
	AnyIssuer bool // waives it

	// Audience lists the names of this service, of which the token must have
	// been issued for at least one.
	Audience    []string
	AnyAudience bool // waives it

	// Type is what the token must be for.
	Type    TokenType
	AnyType bool // waives it: a refresh token then passes for an access token

	// LegacyTypeClaim names the claim in which tokens of an issuer that knows no
	// "typ" say what they are for, such as "token_type". Type is then what it
	// stands for: [AccessToken] for the value "access".
	LegacyTypeClaim string

	// Algorithms lists what the token may be signed with. There is no waiver.
	Algorithms []Algorithm

	// Leeway is how much the clocks of issuer and verifier may differ, in whole
	// seconds up to five minutes.
	Leeway time.Duration

	// Require names claims that must be there, besides the expiry.
	Require        []string
	RequireNothing bool // waives all of it, and the expiry
}

func (o *VerifierOptions) document() (string, error) {
	var d document
	if err := d.expectation("issuer", o.AnyIssuer, o.Issuer); err != nil {
		return "", err
	}
	if err := d.expectation("audience", o.AnyAudience, o.Audience...); err != nil {
		return "", err
	}
	if err := d.expectation("type", o.AnyType, string(o.Type)); err != nil {
		return "", err
	}
	if o.LegacyTypeClaim != "" {
		d.string("legacy_type_claim", o.LegacyTypeClaim)
	}
	d.raw("algorithms", string(quote.AppendAll(nil, o.Algorithms)))
	if err := d.duration("leeway_s", o.Leeway, time.Second); err != nil {
		return "", err
	}
	switch {
	case !o.RequireNothing:
		d.strings("require", o.Require)
	case len(o.Require) == 0:
		d.raw("require", "null")
	default:
		return "", misconfigured("require", "given, and waived")
	}
	return d.end(), nil
}
