package abi

// #include <donjon.h>
import "C"

// Policy is a donjon_policy.
type Policy struct{ p *C.donjon_policy }

// The formats of a matrix.
const (
	MatrixJSON     = C.DONJON_MATRIX_JSON
	MatrixMarkdown = C.DONJON_MATRIX_MARKDOWN
	MatrixHTML     = C.DONJON_MATRIX_HTML
)

// DigestSize is how long the digest of a policy is.
const DigestSize = 32

// NewPolicy is donjon_policy_new.
func NewPolicy(document string) (p Policy, status int32) {
	d, n := in(document)
	status = int32(C.donjon_policy_new(d, n, &p.p))
	return p, status
}

// PolicyDiagnose is donjon_policy_diagnose.
func PolicyDiagnose(document string) ([]byte, int32) {
	d, n := in(document)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_policy_diagnose(d, n, out, size, written)
	})
}

// PolicyShipped is donjon_policy_shipped.
func PolicyShipped(name string) ([]byte, int32) {
	p, n := in(name)
	return filled(0, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_policy_shipped(p, n, out, size, written)
	})
}

// PolicySchema is donjon_policy_schema.
func PolicySchema() ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_policy_schema(out, size, n)
	})
}

// PolicyImportCasbin is donjon_policy_import_casbin.
func PolicyImportCasbin(csv string) ([]byte, int32) {
	p, n := in(csv)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_policy_import_casbin(p, n, out, size, written)
	})
}

// Document is donjon_policy_document.
func (p Policy) Document() ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_policy_document(p.p, out, size, n)
	})
}

// Digest is donjon_policy_digest.
func (p Policy) Digest() ([]byte, int32) {
	return filled(DigestSize, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_policy_digest(p.p, out, size, n)
	})
}

// CheckPermission is donjon_policy_check_permission.
func (p Policy) CheckPermission(permission string) int32 {
	pp, pn := in(permission)
	return int32(C.donjon_policy_check_permission(p.p, pp, pn))
}

// CheckRole is donjon_policy_check_role.
func (p Policy) CheckRole(role string) int32 {
	rp, rn := in(role)
	return int32(C.donjon_policy_check_role(p.p, rp, rn))
}

// Assign is donjon_policy_assign.
func (p Policy) Assign(roles, role string, members uint64) int32 {
	lp, ln := in(roles)
	rp, rn := in(role)
	return int32(C.donjon_policy_assign(p.p, lp, ln, rp, rn, C.uint64_t(members)))
}

// WhoCan is donjon_policy_who_can.
func (p Policy) WhoCan(permission string) ([]byte, int32) {
	pp, pn := in(permission)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_policy_who_can(p.p, pp, pn, out, size, n)
	})
}

// Matrix is donjon_policy_matrix.
func (p Policy) Matrix(format uint32) ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_policy_matrix(p.p, C.uint32_t(format), out, size, n)
	})
}

// Diff is donjon_policy_diff, from p to after.
func (p Policy) Diff(after Policy) ([]byte, int32) {
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_policy_diff(p.p, after.p, out, size, n)
	})
}

// Lint is donjon_policy_lint.
func (p Policy) Lint() ([]byte, int32) {
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_policy_lint(p.p, out, size, n)
	})
}

// Free is donjon_policy_free.
func (p Policy) Free() { C.donjon_policy_free(p.p) }
