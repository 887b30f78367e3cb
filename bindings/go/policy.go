package donjon

import (
	"github.com/donjon-security/donjon/bindings/go/internal/abi"
	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// A Policy says which permissions there are and which role is granted which of
// them. It never changes. A service that replaces its policy keeps it in an
// [sync/atomic.Pointer]; subjects of the old one live on as long as they are
// used.
type Policy struct {
	handle *handle[abi.Policy]
}

func newPolicy(p abi.Policy) *Policy {
	policy := new(Policy)
	policy.handle = own(policy, p, abi.Policy.Free)
	return policy
}

// borrow is handle.borrow for a policy that a caller passes, perhaps nil.
func (p *Policy) borrow() (abi.Policy, error) {
	if p == nil {
		return abi.Policy{}, ErrClosed
	}
	return p.handle.borrow()
}

// answer borrows the policy for a call that answers with a text.
func (p *Policy) answer(call func(abi.Policy) ([]byte, int32)) ([]byte, error) {
	policy, err := p.borrow()
	if err != nil {
		return nil, err
	}
	defer p.handle.giveBack()
	text, status := call(policy)
	return text, failure(status)
}

// check borrows the policy for a call that says yes or no.
func (p *Policy) check(call func(abi.Policy) int32) error {
	policy, err := p.borrow()
	if err != nil {
		return err
	}
	defer p.handle.giveBack()
	return failure(call(policy))
}

// Document returns the policy as canonical JSON, which is the same for every
// document that says the same.
func (p *Policy) Document() ([]byte, error) { return p.answer(abi.Policy.Document) }

// Digest returns the SHA-256 of [Policy.Document], to tell by which policy a
// service decides.
func (p *Policy) Digest() ([32]byte, error) {
	digest, err := p.answer(abi.Policy.Digest)
	if err != nil {
		return [32]byte{}, err
	}
	return [32]byte(digest), nil
}

// CheckPermission returns nil if the catalogue knows permission, and
// [ErrUnknownPermission] if not: for a service to check at its start what it
// will require.
func (p *Policy) CheckPermission(permission string) error {
	return p.check(func(policy abi.Policy) int32 { return policy.CheckPermission(permission) })
}

// CheckRole returns nil if there is such a role, and [ErrUnknownRole] if not.
func (p *Policy) CheckRole(role string) error {
	return p.check(func(policy abi.Policy) int32 { return policy.CheckRole(role) })
}

// CheckAssignment returns nil if a user who has the roles held may get role,
// perhaps of one tenant as in "editor@acme", while as many users as members
// says have it. It returns [ErrUnknownRole], [ErrSeparationOfDuty] or
// [ErrCardinalityExceeded] if not.
func (p *Policy) CheckAssignment(held []string, role string, members uint64) error {
	roles := string(quote.AppendAll(nil, held))
	return p.check(func(policy abi.Policy) int32 { return policy.Assign(roles, role, members) })
}

// WhoCan returns the roles that have permission, sorted.
func (p *Policy) WhoCan(permission string) ([]string, error) {
	return decodedList[string](p.answer(func(policy abi.Policy) ([]byte, int32) { return policy.WhoCan(permission) }))
}

// Allows reports whether roles, none of a tenant, have permission. To ask more
// than once, make a [Policy.Subject].
func (p *Policy) Allows(roles []string, permission string) (bool, error) {
	policy, err := p.borrow()
	if err != nil {
		return false, err
	}
	defer p.handle.giveBack()
	subject, status := abi.NewSubject(policy, string(quote.AppendAll(nil, roles)), "", "")
	if err := failure(status); err != nil {
		return false, err
	}
	defer subject.Free()
	return allowed(subject.Has(permission, ""))
}

// Close releases the policy. Subjects of it stay usable. It returns nil, always.
func (p *Policy) Close() error {
	if p != nil {
		p.handle.close()
	}
	return nil
}
