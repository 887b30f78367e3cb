package donjon

import (
	"github.com/donjon-security/donjon/bindings/go/internal/abi"
	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// A Subject is who asks: the roles that somebody has, looked up in a policy
// once, so that each question after that takes nanoseconds. It outlives its
// policy's Close, and answers by that policy for as long as it lives.
type Subject struct {
	handle *handle[abi.Subject]
}

// SubjectOptions narrow what a [Subject] may do.
type SubjectOptions struct {
	// Tenant is where the subject acts. There its roles of this tenant, as in
	// "editor@acme", count besides those of none. Without a tenant, only the
	// latter count.
	Tenant string

	// Permissions are what the subject's token is limited to, as in
	// [Claims.Permissions]. Nil does not limit it; an empty list leaves nothing.
	Permissions []string
}

// Subject looks roles up. Roles that the policy lacks give nothing; that two of
// them exclude each other is [ErrSeparationOfDuty].
func (p *Policy) Subject(roles []string, opts SubjectOptions) (*Subject, error) {
	permissions := ""
	if opts.Permissions != nil {
		permissions = string(quote.AppendAll(nil, opts.Permissions))
	}
	return newSubject(p.activate(string(quote.AppendAll(nil, roles)), opts.Tenant, permissions))
}

// TokenSubject is [Policy.Subject] of the roles that verified claims say, limited
// to the permissions that they say, if they do. Tenant may be empty.
func (p *Policy) TokenSubject(claims *Claims, tenant string) (*Subject, error) {
	if claims == nil {
		return nil, ErrInvalidArgument
	}
	roles, permissions := claims.granted()
	return newSubject(p.activate(roles, tenant, permissions))
}

func newSubject(s abi.Subject, err error) (*Subject, error) {
	if err != nil {
		return nil, err
	}
	subject := new(Subject)
	subject.handle = own(subject, s, abi.Subject.Free)
	return subject, nil
}

// granted returns the roles and the permissions as JSON; the latter are empty where
// the claims do not say any, and "[]" where they say that there are none.
func (c *Claims) granted() (roles, permissions string) {
	roles, ok := c.index.Roles.In(c.text)
	if !ok {
		roles = "[]"
	}
	return roles, c.span(c.index.Permissions)
}

func (p *Policy) activate(roles, tenant, permissions string) (abi.Subject, error) {
	policy, err := p.borrow()
	if err != nil {
		return abi.Subject{}, err
	}
	defer p.handle.giveBack()
	s, status := abi.NewSubject(policy, roles, tenant, permissions)
	return s, failure(status)
}

// Has reports whether the subject has permission. What cannot be decided, on a
// closed subject or about a malformed permission, is denied.
func (s *Subject) Has(permission string) bool { return s.has(permission, "") }

// HasInstance reports whether the subject has permission on one instance: of
// "document:read" on "42". The instance may be an attacker's text, for it is
// one name and nothing else: no wildcard, no list, not empty.
func (s *Subject) HasInstance(permission, instance string) bool {
	return instance != "" && s.has(permission, instance)
}

func (s *Subject) has(permission, instance string) bool {
	subject, err := s.borrow()
	if err != nil {
		return false
	}
	defer s.handle.giveBack()
	return subject.Has(permission, instance) == abi.StatusOK
}

// HasAny reports whether the subject has at least one of permissions. Of none,
// it has none.
func (s *Subject) HasAny(permissions ...string) bool {
	return s.Check(Requirement{Permissions: permissions, Any: true}) == nil
}

// HasAll reports whether the subject has all of permissions, which are at least
// one: that it has all of none is denied.
func (s *Subject) HasAll(permissions ...string) bool {
	return s.Check(Requirement{Permissions: permissions}) == nil
}

// HasRole reports whether the subject has role, itself or by inheritance.
func (s *Subject) HasRole(role string) bool {
	subject, err := s.borrow()
	if err != nil {
		return false
	}
	defer s.handle.giveBack()
	return subject.HasRole(role) == abi.StatusOK
}

// A Requirement is what somebody has to be allowed.
type Requirement struct {
	Permissions []string
	Any         bool   // one of Permissions is enough; otherwise, all are needed
	Instance    string // what all of Permissions are about, as in [Subject.HasInstance]; empty if nothing
}

func (r *Requirement) kernel() abi.Requirement {
	mode := uint32(abi.ModeAll)
	if r.Any {
		mode = abi.ModeAny
	}
	return abi.Requirement{
		Mode: mode, Permissions: string(quote.AppendAll(nil, r.Permissions)), Instance: r.Instance,
	}
}

// Check returns nil if the subject has what r requires, and
// [ErrPermissionDenied] if not. To require all of no permissions is
// [ErrInvalidArgument].
func (s *Subject) Check(r Requirement) error { return s.check(r.kernel()) }

func (s *Subject) check(r abi.Requirement) error {
	subject, err := s.borrow()
	if err != nil {
		return err
	}
	defer s.handle.giveBack()
	return failure(subject.Check(r))
}

// Permissions returns what the subject has, by the names of the catalogue. Of
// those with instances it may have one, as in "document:read:42", or all but
// one: "document:read:*" and "!document:read:42".
func (s *Subject) Permissions() ([]string, error) {
	subject, err := s.borrow()
	if err != nil {
		return nil, err
	}
	defer s.handle.giveBack()
	text, status := subject.Permissions()
	return decodedList[string](text, failure(status))
}

// borrow is handle.borrow for a subject that may be nil: nobody may do anything.
func (s *Subject) borrow() (abi.Subject, error) {
	if s == nil {
		return abi.Subject{}, ErrClosed
	}
	return s.handle.borrow()
}

// Close releases the subject, which is denied everything from then on. It
// returns nil, always.
func (s *Subject) Close() error {
	if s != nil {
		s.handle.close()
	}
	return nil
}
