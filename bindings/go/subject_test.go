package donjon_test

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

func newSubject(t testing.TB, policy *donjon.Policy, roles ...string) *donjon.Subject {
	t.Helper()
	return newSubjectOf(t, policy, donjon.SubjectOptions{}, roles...)
}

func newSubjectOf(t testing.TB, policy *donjon.Policy, opts donjon.SubjectOptions, roles ...string) *donjon.Subject {
	t.Helper()
	subject, err := policy.Subject(roles, opts)
	ok(t, err)
	t.Cleanup(func() { subject.Close() })
	return subject
}

func TestSubjectHasWhatItsRolesGrant(t *testing.T) {
	policy := newPolicy(t, documents)
	for _, c := range []struct{ roles, has, lacks string }{
		{"viewer", "document:read document:read:42", "document:create document document:* user:read"},
		{"editor", "document:read document:create document:update:7 document:create,update", "document:delete"},
		{"owner", "document document:* document:delete", "user:read *"},
		{"admin", "* document:delete user:read", "document:raed documents user:write"},
		{"intern", "document:read document:update", "document:create"},
		{"admin|intern", "document:read user:read", "document:create * document:*"}, // the denial wins
		{"intern|admin", "document:read user:read", "document:create * document:*"},
		{"reader-of-42", "document:read:42", "document:read document:read:43 document:update:42"},
		{"ghost", "", "document:read *"},
		{"ghost|viewer", "document:read", "document:create"},
		{"viewer@acme", "", "document:read"}, // asked about without a tenant
		{"", "", "document:read *"},
	} {
		subject := newSubject(t, policy, strings.Split(c.roles, "|")...)
		for _, permission := range strings.Fields(c.has) {
			equal(t, c.roles+" has "+permission, subject.Has(permission), true)
		}
		for _, permission := range strings.Fields(c.lacks) {
			equal(t, c.roles+" has "+permission, subject.Has(permission), false)
		}
	}
}

func TestDenialWinsWhereItMeetsWhatIsRequired(t *testing.T) {
	subject := newSubject(t, newPolicy(t, `{"permissions":["document:read","document:delete"],
		"roles":{"most":{"allow":["*"],"deny":["document:delete"]}}}`), "most")
	for permission, want := range map[string]bool{
		"document:read": true, "document:delete": false, "document:*": false, "document": false, "*": false,
		"document:read,delete": false,
	} {
		equal(t, permission, subject.Has(permission), want)
	}
}

func TestHostilePermissionsAndInstancesAreDenied(t *testing.T) {
	policy := newPolicy(t, documents)
	admin := newSubject(t, policy, "admin")
	texts := append([]string{"::", ":", "document:", ":read", "doc*", "document:read ", " document:read", "document:read:", "a:b:c:d:e:f:g:h:i"}, hostile...)
	for _, text := range texts {
		if admin.Has(text) {
			t.Errorf("has %.20q", text)
		}
		if admin.HasRole(text) {
			t.Errorf("has role %.20q", text)
		}
		if admin.HasAny(text, text) || admin.HasAll(text) || admin.HasAll("user:read", text) {
			t.Errorf("has any or all of %.20q", text)
		}
	}
	equal(t, "instance", admin.HasInstance("document:read", "42"), true)
	for _, instance := range []string{"", "*", "1,2", "1:2", "a b", "a\nb", "\x00", "\xff", "42 ", strings.Repeat("4", 1<<20)} {
		if admin.HasInstance("document:read", instance) {
			t.Errorf("has instance %.20q", instance)
		}
	}
	reader := newSubject(t, policy, "reader-of-42")
	for instance, want := range map[string]bool{"42": true, "43": false, "": false, "*": false, "42,43": false, "4": false, "42:x": false} {
		equal(t, "instance "+instance, reader.HasInstance("document:read", instance), want)
	}
	if admin.HasInstance("document:create", "42") {
		t.Error("has an instance of what has none")
	}
}

func TestAnyOfNothingIsDeniedAndAllOfNothingIsAMistake(t *testing.T) {
	admin := newSubject(t, newPolicy(t, documents), "admin")
	equal(t, "any of nothing", admin.HasAny(), false)
	equal(t, "all of nothing", admin.HasAll(), false)
	if err := admin.Check(donjon.Requirement{Any: true}); !errors.Is(err, donjon.ErrPermissionDenied) {
		t.Errorf("any of nothing: %v", err)
	}
	if err := admin.Check(donjon.Requirement{}); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("all of nothing: %v", err)
	}
	explanation, err := admin.Explain(donjon.Requirement{Any: true})
	ok(t, err)
	equal(t, "reason", explanation.Reason, donjon.ReasonEmpty)
	equal(t, "allowed", explanation.Allowed, false)
	explanation, err = admin.Explain(donjon.Requirement{})
	ok(t, err)
	equal(t, "all of nothing, explained", explanation.Allowed, false)
}

func TestAnyAndAllAreTold(t *testing.T) {
	editor := newSubject(t, newPolicy(t, documents), "editor")
	equal(t, "any", editor.HasAny("user:read", "document:read"), true)
	equal(t, "any of none it has", editor.HasAny("user:read", "document:delete"), false)
	equal(t, "all", editor.HasAll("document:create", "document:read"), true)
	equal(t, "all but one", editor.HasAll("document:create", "document:delete"), false)
	ok(t, editor.Check(donjon.Requirement{Permissions: []string{"document:read", "document:update"}, Instance: "42"}))
	err := editor.Check(donjon.Requirement{Permissions: []string{"document:read"}, Instance: "*"})
	if !errors.Is(err, donjon.ErrPermissionDenied) {
		t.Error(err)
	}
}

func TestRolesAreHadByInheritance(t *testing.T) {
	editor := newSubject(t, newPolicy(t, documents), "editor", "ghost")
	for role, want := range map[string]bool{"editor": true, "viewer": true, "intern": false, "admin": false, "ghost": false, "Editor": false} {
		equal(t, role, editor.HasRole(role), want)
	}
}

func TestTokensPermissionsOnlyNarrow(t *testing.T) {
	policy := newPolicy(t, documents)
	narrow := newSubjectOf(t, policy, donjon.SubjectOptions{Permissions: []string{"document:read", "user:read"}}, "editor")
	for permission, want := range map[string]bool{
		"document:read": true, "document:read:42": true, "document:create": false, "user:read": false,
	} {
		equal(t, permission, narrow.Has(permission), want)
	}
	explanation, err := narrow.Explain(donjon.Requirement{Permissions: []string{"document:create"}})
	ok(t, err)
	equal(t, "reason", explanation.Reason, donjon.ReasonTokenLacks)
	if newSubjectOf(t, policy, donjon.SubjectOptions{Permissions: []string{}}, "admin").Has("user:read") {
		t.Error("a token of no permissions has one")
	}
}

func TestTenantsRolesCountThereOnly(t *testing.T) {
	policy := newPolicy(t, documents)
	roles := []string{"editor@acme", "viewer"}
	for tenant, want := range map[string]bool{"acme": true, "globex": false, "": false} {
		subject := newSubjectOf(t, policy, donjon.SubjectOptions{Tenant: tenant}, roles...)
		equal(t, "editor in "+tenant, subject.Has("document:create"), want)
		equal(t, "viewer in "+tenant, subject.Has("document:read"), true)
	}
	for _, tenant := range []string{"a@b", "a b", "\x00", "\xff", strings.Repeat("a", 1<<20)} {
		if _, err := policy.Subject(roles, donjon.SubjectOptions{Tenant: tenant}); !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Errorf("tenant %.20q: %v", tenant, err)
		}
	}
}

func TestExclusiveRolesAreNotActivatedTogether(t *testing.T) {
	policy := newPolicy(t, documents)
	for _, roles := range [][]string{{"owner", "intern"}, {"payer", "approver"}} {
		if _, err := policy.Subject(roles, donjon.SubjectOptions{}); !errors.Is(err, donjon.ErrSeparationOfDuty) {
			t.Errorf("%v: %v", roles, err)
		}
		if allowed, err := policy.Allows(roles, "document:read"); allowed || !errors.Is(err, donjon.ErrSeparationOfDuty) {
			t.Errorf("%v: %v", roles, err)
		}
	}
}

func TestExplanationNamesTheRoleAndTheWay(t *testing.T) {
	policy := newPolicy(t, documents)
	subject := newSubject(t, policy, "intern", "ghost")
	explanation, err := subject.Explain(donjon.Requirement{Permissions: []string{"document:read", "document:create"}, Any: true})
	ok(t, err)
	equal(t, "allowed", explanation.Allowed, true)
	equal(t, "mode", explanation.Mode, "any")
	equal(t, "unknown roles", strings.Join(explanation.UnknownRoles, " "), "ghost")
	equal(t, "number of permissions", len(explanation.Permissions), 2)
	read, create := explanation.Permissions[0], explanation.Permissions[1]
	equal(t, "reading", read.Reason, donjon.ReasonGranted)
	equal(t, "number of grants", len(read.Grants), 1)
	equal(t, "role", read.Grants[0].Role, "viewer")
	equal(t, "way", strings.Join(read.Grants[0].Via, " "), "intern editor viewer")
	equal(t, "grant", read.Grants[0].Grant, "document:read")
	equal(t, "creating", create.Reason, donjon.ReasonDenied)
	equal(t, "number of denials", len(create.Denies), 1)
	equal(t, "denial", create.Denies[0].Grant, "document:create")

	for permission, want := range map[string]donjon.Reason{
		"document:delete": donjon.ReasonMissing,
		"document:raed":   donjon.ReasonUnknownPermission,
		"::":              donjon.ReasonMalformedPermission,
	} {
		explanation, err := subject.Explain(donjon.Requirement{Permissions: []string{permission}})
		ok(t, err)
		equal(t, permission, explanation.Reason, want)
		equal(t, permission, explanation.Allowed, subject.Has(permission))
	}
}

func TestSubjectSaysWhatItCan(t *testing.T) {
	policy := newPolicy(t, `{
		"permissions": ["document:create", "document:read:{id}", "document:update:{id}", "user:read"],
		"roles": {
			"reader": {"allow": ["document:read", "document:update:7"]},
			"barred": {"inherits": ["reader"], "deny": ["document:read:42"]}
		}}`)
	for role, want := range map[string]string{
		"reader": "document:read document:update:7",
		"barred": "document:read:* !document:read:42 document:update:7",
		"ghost":  "",
	} {
		permissions, err := newSubject(t, policy, role).Permissions()
		ok(t, err)
		equal(t, role+" can", strings.Join(permissions, " "), want)
	}
}

func TestSubjectOutlivesItsPolicy(t *testing.T) {
	policy, err := donjon.ParsePolicy([]byte(documents))
	ok(t, err)
	subject := newSubject(t, policy, "viewer")
	policy.Close()
	runtime.GC()
	equal(t, "still has", subject.Has("document:read"), true)
}

func TestClosedSubjectIsDeniedEverything(t *testing.T) {
	subject := newSubject(t, newPolicy(t, documents), "admin")
	subject.Close()
	var nobody *donjon.Subject
	for name, s := range map[string]*donjon.Subject{"closed": subject, "zero": new(donjon.Subject), "nil": nobody} {
		if s.Has("user:read") || s.HasInstance("document:read", "1") || s.HasAny("user:read") || s.HasAll("user:read") || s.HasRole("admin") {
			t.Errorf("a %s subject has something", name)
		}
		_, explain := s.Explain(donjon.Requirement{Permissions: []string{"user:read"}})
		_, permissions := s.Permissions()
		for _, err := range []error{explain, permissions, s.Check(donjon.Requirement{Permissions: []string{"user:read"}})} {
			if !errors.Is(err, donjon.ErrClosed) {
				t.Errorf("a %s subject: %v", name, err)
			}
		}
		s.Close()
	}
}

func TestSubjectIsSharedAndClosedDuringQuestions(t *testing.T) {
	policy := newPolicy(t, documents)
	for range 200 {
		subject, err := policy.Subject([]string{"editor"}, donjon.SubjectOptions{})
		ok(t, err)
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				for subject.Check(donjon.Requirement{Permissions: []string{"document:read"}}) == nil {
					if subject.Has("document:delete") || subject.HasRole("admin") {
						t.Error("has what it lacks")
					}
				}
			})
		}
		group.Go(func() {
			runtime.Gosched()
			subject.Close()
		})
		group.Wait()
	}
}
