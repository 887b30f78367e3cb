package donjon

import "github.com/donjon-security/donjon/bindings/go/internal/abi"

// A PolicyDiff is what changes, in effect, from one policy to another.
type PolicyDiff struct {
	Roles struct {
		Added   []string              `json:"added"`
		Removed []string              `json:"removed"`
		Changed map[string]RoleChange `json:"changed"` // by the role's name
	} `json:"roles"`
	Permissions struct {
		Added   []string `json:"added"`
		Removed []string `json:"removed"`
	} `json:"permissions"` // of the catalogue
	Constraints struct {
		Added   []string `json:"added"`
		Removed []string `json:"removed"`
	} `json:"constraints"` // such as "static_separation: at most 1 of approver, payer"
}

// A RoleChange is what a role gains and loses, by whichever inheritance, written
// as [Subject.Permissions] writes it.
type RoleChange struct {
	Gained []string `json:"gained"`
	Lost   []string `json:"lost"`
}

// Diff returns what changes from p to after.
func (p *Policy) Diff(after *Policy) (*PolicyDiff, error) {
	return decoded[PolicyDiff](p.DiffJSON(after))
}

// DiffJSON is [Policy.Diff] as a JSON object.
func (p *Policy) DiffJSON(after *Policy) ([]byte, error) {
	next, err := after.borrow()
	if err != nil {
		return nil, err
	}
	defer after.handle.giveBack()
	return p.answer(func(policy abi.Policy) ([]byte, int32) { return policy.Diff(next) })
}

// A PolicyFinding is something in a policy that works and is hardly meant.
type PolicyFinding struct {
	Kind    string `json:"kind"` // such as "shadowed_grant"
	Path    string `json:"path"` // such as "roles.editor.allow"
	Message string `json:"message"`
}

// Lint returns what looks like a mistake: roles that nobody can use, grants that
// a denial undoes, roles that are equal.
func (p *Policy) Lint() ([]PolicyFinding, error) {
	return decodedList[PolicyFinding](p.LintJSON())
}

// LintJSON is [Policy.Lint] as a JSON list.
func (p *Policy) LintJSON() ([]byte, error) { return p.answer(abi.Policy.Lint) }

// A MatrixFormat is what [Policy.Matrix] writes.
type MatrixFormat uint32

// The formats.
const (
	MatrixJSON     MatrixFormat = abi.MatrixJSON
	MatrixMarkdown MatrixFormat = abi.MatrixMarkdown
	MatrixHTML     MatrixFormat = abi.MatrixHTML // a page of its own
)

// Matrix returns the table of all roles and all permissions.
func (p *Policy) Matrix(format MatrixFormat) ([]byte, error) {
	return p.answer(func(policy abi.Policy) ([]byte, int32) { return policy.Matrix(uint32(format)) })
}
