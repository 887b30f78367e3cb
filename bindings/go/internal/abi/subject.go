package abi

/*
#include <donjon.h>

#cgo noescape donjon_subject_new
#cgo nocallback donjon_subject_new
#cgo noescape donjon_subject_has
#cgo nocallback donjon_subject_has
#cgo noescape donjon_subject_has_role
#cgo nocallback donjon_subject_has_role
#cgo noescape donjon_subject_check
#cgo nocallback donjon_subject_check
#cgo nocallback donjon_subject_free
*/
import "C"

// Subject is a donjon_subject.
type Subject struct{ p *C.donjon_subject }

// The modes of a check.
const (
	ModeAny = C.DONJON_ANY
	ModeAll = C.DONJON_ALL
)

// Requirement is what a check asks for: a JSON list of permissions.
type Requirement struct {
	Mode                  uint32
	Permissions, Instance string
}

// NewSubject is donjon_subject_new. Roles and permissions are JSON lists.
func NewSubject(p Policy, roles, tenant, permissions string) (s Subject, status int32) {
	rp, rn := in(roles)
	tp, tn := in(tenant)
	pp, pn := in(permissions)
	status = int32(C.donjon_subject_new(p.p, rp, rn, tp, tn, pp, pn, &s.p))
	return s, status
}

// Has is donjon_subject_has.
func (s Subject) Has(permission, instance string) int32 {
	pp, pn := in(permission)
	ip, n := in(instance)
	return int32(C.donjon_subject_has(s.p, pp, pn, ip, n))
}

// HasRole is donjon_subject_has_role.
func (s Subject) HasRole(role string) int32 {
	p, n := in(role)
	return int32(C.donjon_subject_has_role(s.p, p, n))
}

// Check is donjon_subject_check.
func (s Subject) Check(r Requirement) int32 {
	pp, pn := in(r.Permissions)
	ip, n := in(r.Instance)
	return int32(C.donjon_subject_check(s.p, C.uint32_t(r.Mode), pp, pn, ip, n))
}

// Explain is donjon_subject_explain.
func (s Subject) Explain(r Requirement) ([]byte, int32) {
	pp, pn := in(r.Permissions)
	ip, n := in(r.Instance)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_subject_explain(s.p, C.uint32_t(r.Mode), pp, pn, ip, n, out, size, written)
	})
}

// Permissions is donjon_subject_permissions.
func (s Subject) Permissions() ([]byte, int32) {
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_subject_permissions(s.p, out, size, n)
	})
}

// Free is donjon_subject_free.
func (s Subject) Free() { C.donjon_subject_free(s.p) }
