package donjon

import (
	"log/slog"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A Reason is why a permission is allowed or denied.
type Reason string

// The reasons.
const (
	ReasonGranted             Reason = "granted"              // a role grants it
	ReasonDenied              Reason = "denied"               // a role denies it, which outweighs every grant
	ReasonMissing             Reason = "missing"              // no role grants it
	ReasonUnknownPermission   Reason = "unknown_permission"   // the catalogue lacks it
	ReasonMalformedPermission Reason = "malformed_permission" // it is no permission, or its instance no name
	ReasonTokenLacks          Reason = "token_lacks"          // a role grants it, and the token is limited to others
	ReasonEmpty               Reason = "empty"                // nothing was asked for
)

// An Explanation is a decision and how it came about.
type Explanation struct {
	Allowed      bool                    `json:"allowed"`
	Mode         string                  `json:"mode"` // "any" or "all"
	Reason       Reason                  `json:"reason"`
	Permissions  []PermissionExplanation `json:"permissions"`
	UnknownRoles []string                `json:"unknown_roles"` // the subject's that the policy lacks
}

// A PermissionExplanation is the part of an [Explanation] about one permission.
type PermissionExplanation struct {
	Permission string        `json:"permission"`
	Allowed    bool          `json:"allowed"`
	Reason     Reason        `json:"reason"`
	Grants     []GrantOrigin `json:"grants"` // what implies it
	Denies     []GrantOrigin `json:"denies"` // what denies it, or a part of it
}

// A GrantOrigin is where a grant or a denial comes from.
type GrantOrigin struct {
	Role  string   `json:"role"`  // whose it is
	Via   []string `json:"via"`   // by inheritance from a role of the subject's to that one
	Grant string   `json:"grant"` // such as "document:*"
}

// LogValue implements [slog.LogValuer]: a log has the reason, and each
// permission with its own, as "document:read missing".
func (e *Explanation) LogValue() slog.Value {
	permissions := make([]string, len(e.Permissions))
	for i, p := range e.Permissions {
		permissions[i] = p.Permission + " " + string(p.Reason)
	}
	return slog.GroupValue(
		slog.String("reason", string(e.Reason)), slog.String("mode", e.Mode),
		slog.Any("permissions", permissions), slog.Any("unknown_roles", e.UnknownRoles))
}

// Explain decides as [Subject.Check] does, and says why. It takes longer, and is
// for logs and operators: a client is told nothing of it.
func (s *Subject) Explain(r Requirement) (*Explanation, error) { return s.explain(r.kernel()) }

// ExplainJSON is [Subject.Explain] as a JSON object.
func (s *Subject) ExplainJSON(r Requirement) ([]byte, error) { return s.explainJSON(r.kernel()) }

func (s *Subject) explain(r abi.Requirement) (*Explanation, error) {
	return decoded[Explanation](s.explainJSON(r))
}

func (s *Subject) explainJSON(r abi.Requirement) ([]byte, error) {
	subject, err := s.borrow()
	if err != nil {
		return nil, err
	}
	defer s.handle.giveBack()
	text, status := subject.Explain(r)
	return text, failure(status)
}
