package donjon

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// Claims are what a verified token says. They are read from one text when they
// are asked for; strings that are returned share its memory.
type Claims struct {
	index abi.Claims
	text  string
}

func (c *Claims) span(s abi.Span) string {
	text, _ := s.In(c.text)
	return text
}

// list decodes an array of strings. The kernel has checked that it is one.
func (c *Claims) list(s abi.Span) []string {
	var list []string
	if text, ok := s.In(c.text); ok {
		_ = json.Unmarshal([]byte(text), &list)
	}
	return list
}

// Issuer returns the claim "iss", or "" if it is absent.
func (c *Claims) Issuer() string { return c.span(c.index.Issuer) }

// Subject returns the claim "sub", or "" if it is absent.
func (c *Claims) Subject() string { return c.span(c.index.Subject) }

// TokenID returns the claim "jti", or "" if it is absent.
func (c *Claims) TokenID() string { return c.span(c.index.TokenID) }

// KeyID returns the id of the key that verified the token, or "" if it has none.
func (c *Claims) KeyID() string { return c.span(c.index.KeyID) }

// Audience returns the claim "aud", as a list even where it is one name.
func (c *Claims) Audience() []string {
	text, _ := c.index.Audience.In(c.text)
	if len(text) > 0 && text[0] == '"' {
		var one string
		_ = json.Unmarshal([]byte(text), &one) // the kernel has checked it
		return []string{one}
	}
	return c.list(c.index.Audience)
}

// Permissions returns the claim "permissions". Each call decodes it anew.
func (c *Claims) Permissions() []string { return c.list(c.index.Permissions) }

// Roles returns the claim "roles". Each call decodes it anew.
func (c *Claims) Roles() []string { return c.list(c.index.Roles) }

// ExpiresAt returns the claim "exp" in whole seconds, or the zero time if it is
// absent.
func (c *Claims) ExpiresAt() time.Time { return optionalTime(c.index.ExpiresAt) }

// NotBefore returns the claim "nbf" in whole seconds, or the zero time if it is
// absent.
func (c *Claims) NotBefore() time.Time { return optionalTime(c.index.NotBefore) }

// IssuedAt returns the claim "iat" in whole seconds, or the zero time if it is
// absent.
func (c *Claims) IssuedAt() time.Time { return optionalTime(c.index.IssuedAt) }

// Family returns the name of a refresh token's family, which is that of the access
// tokens that were issued with it, or "" if the token has none.
func (c *Claims) Family() string { return c.span(c.index.Family) }

// Generation returns a refresh token's place in its family, and whether the
// token has one.
func (c *Claims) Generation() (int64, bool) { return c.index.Generation, c.index.Generation >= 0 }

// JSON returns all claims as one JSON object.
func (c *Claims) JSON() string { return c.span(c.index.JSON) }

// Decode decodes all claims into v, as [json.Unmarshal] does.
func (c *Claims) Decode(v any) error { return json.Unmarshal([]byte(c.JSON()), v) }

// MarshalJSON implements [json.Marshaler].
func (c *Claims) MarshalJSON() ([]byte, error) { return []byte(c.JSON()), nil }

// LogValue implements [slog.LogValuer]: a log names the token and its subject,
// and nothing else that the claims say.
func (c *Claims) LogValue() slog.Value {
	return slog.GroupValue(slog.String("subject", c.Subject()), slog.String("token_id", c.TokenID()))
}
