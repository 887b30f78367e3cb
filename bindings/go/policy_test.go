package donjon_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

const documents = `{
	"name": "documents",
	"permissions": ["document:create", "document:read:{id}", "document:update:{id}", "document:delete", "user:read"],
	"roles": {
		"viewer": {"description": "reads", "allow": ["document:read"]},
		"editor": {"inherits": ["viewer"], "allow": ["document:create,update"]},
		"owner":  {"allow": ["document:*"]},
		"intern": {"inherits": ["editor"], "deny": ["document:create"]},
		"reader-of-42": {"allow": ["document:read:42"]},
		"admin":  {"allow": ["*"]},
		"payer": {}, "approver": {}
	},
	"constraints": {
		"static_separation": [{"roles": ["payer", "approver"], "at_most": 1}],
		"dynamic_separation": [{"roles": ["owner", "intern"], "at_most": 1}],
		"cardinality": [{"role": "owner", "at_most": 1}]
	}
}`

func newPolicy(t testing.TB, document string) *donjon.Policy {
	t.Helper()
	policy, err := donjon.ParsePolicy([]byte(document))
	ok(t, err)
	t.Cleanup(func() { policy.Close() })
	return policy
}

func TestPolicyHasOneCanonicalText(t *testing.T) {
	policy := newPolicy(t, documents)
	text, err := policy.Document()
	ok(t, err)
	digest, err := policy.Digest()
	ok(t, err)
	equal(t, "digest", digest, sha256.Sum256(text))

	again := newPolicy(t, string(text))
	same, err := again.Document()
	ok(t, err)
	if !bytes.Equal(same, text) {
		t.Errorf("%s is written as %s", text, same)
	}
	other, err := newPolicy(t, strings.Replace(documents, `"user:read"`, `"user:write"`, 1)).Digest()
	ok(t, err)
	if other == digest {
		t.Error("two policies, one digest")
	}
}

func TestRefusedPolicySaysWhere(t *testing.T) {
	for name, c := range map[string]struct{ document, path string }{
		"a grant of nothing":        {`{"permissions":["a:b"],"roles":{"r":{"allow":["a:b","a:c"]}}}`, "roles.r.allow[1]"},
		"a longer grant":            {`{"permissions":["document:read"],"roles":{"r":{"allow":["document:read_all"]}}}`, "roles.r.allow[0]"},
		"a denial of nothing":       {`{"permissions":["a:b"],"roles":{"r":{"deny":["b"]}}}`, "roles.r.deny[0]"},
		"a wildcard in a segment":   {`{"permissions":["doc:read"],"roles":{"r":{"allow":["doc*"]}}}`, "roles.r.allow[0]"},
		"an empty grant":            {`{"permissions":["a:b"],"roles":{"r":{"allow":[""]}}}`, "roles.r.allow[0]"},
		"an empty segment":          {`{"permissions":["a::b"],"roles":{}}`, "permissions[0]"},
		"an empty permission":       {`{"permissions":["a",""],"roles":{}}`, "permissions[1]"},
		"only colons":               {`{"permissions":["::"],"roles":{}}`, "permissions[0]"},
		"a control character":       {`{"permissions":["a:\u0007"],"roles":{}}`, "permissions[0]"},
		"white space":               {`{"permissions":[" document:read"],"roles":{}}`, "permissions[0]"},
		"too long a permission":     {`{"permissions":["` + strings.Repeat("a", 513) + `"],"roles":{}}`, "permissions[0]"},
		"a wildcard as permission":  {`{"permissions":["a:*"],"roles":{}}`, "permissions[0]"},
		"a permission twice":        {`{"permissions":["a","a"],"roles":{}}`, "permissions[1]"},
		"a role that is not there":  {`{"permissions":["a"],"roles":{"r":{"inherits":["s"]}}}`, "roles.r.inherits[0]"},
		"a role inheriting itself":  {`{"permissions":["a"],"roles":{"r":{"inherits":["r"]}}}`, "roles.r.inherits"},
		"a cycle":                   {`{"permissions":["a"],"roles":{"r":{"inherits":["s"]},"s":{"inherits":["t"]},"t":{"inherits":["r"]}}}`, ""},
		"a role twice":              {`{"permissions":["a"],"roles":{"r":{},"r":{}}}`, ""},
		"a role with a tenant":      {`{"permissions":["a"],"roles":{"r@t":{}}}`, "roles.r@t"},
		"a role without a name":     {`{"permissions":["a"],"roles":{"":{}}}`, "roles."},
		"an unknown member":         {`{"permissions":["a"],"roles":{},"rules":[]}`, "rules"},
		"an unknown member of one":  {`{"permissions":["a"],"roles":{"r":{"alow":["a"]}}}`, "roles.r.alow"},
		"no roles":                  {`{"permissions":["a"]}`, "roles"},
		"a constraint on nobody":    {`{"permissions":["a"],"roles":{},"constraints":{"cardinality":[{"role":"r","at_most":1}]}}`, "constraints.cardinality[0].role"},
		"roles that are a list":     {`{"permissions":["a"],"roles":[]}`, "roles"},
		"a description of a number": {`{"permissions":["a"],"roles":{"r":{"description":1}}}`, "roles.r.description"},
	} {
		_, err := donjon.ParsePolicy([]byte(c.document))
		var refusal *donjon.ConfigError
		if !errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !errors.Is(err, donjon.ErrConfig) && !errors.Is(err, donjon.ErrMalformed) {
			t.Errorf("%s: is no ErrConfig: %v", name, err)
		}
		if c.path != "" {
			equal(t, name+": path", refusal.Path, c.path)
		}
		if refusal.Message == "" || !strings.Contains(err.Error(), refusal.Message) {
			t.Errorf("%s: no message in %v", name, err)
		}
		var diagnosis struct{ Path, Message string }
		text, err := donjon.DiagnosePolicy([]byte(c.document))
		ok(t, err)
		ok(t, json.Unmarshal(text, &diagnosis))
		equal(t, name+": diagnosed path", diagnosis.Path, refusal.Path)
	}
	text, err := donjon.DiagnosePolicy([]byte(documents))
	ok(t, err)
	equal(t, "diagnosis of a good one", string(text), "null")
}

func TestHugePoliciesLoadInBoundsOrAreRefused(t *testing.T) {
	var many strings.Builder
	many.WriteString(`{"permissions":["a:b"],"roles":{"r0":{"allow":["a"]}`)
	for i := 1; i < 100_000; i++ {
		fmt.Fprintf(&many, `,"r%d":{"allow":["a:b"]}`, i)
	}
	many.WriteString("}}")
	var deep strings.Builder
	deep.WriteString(`{"permissions":["a:b"],"roles":{"r0":{"allow":["a"]}`)
	for i := 1; i < 10_000; i++ {
		fmt.Fprintf(&deep, `,"r%d":{"inherits":["r%d"]}`, i, i-1)
	}
	deep.WriteString("}}")
	began := time.Now()
	for name, document := range map[string]string{
		"many roles":       many.String(),
		"a deep hierarchy": deep.String(),
		"a megabyte name":  `{"permissions":["a"],"roles":{"` + strings.Repeat("r", 1<<20) + `":{}}}`,
		"a megabyte grant": `{"permissions":["a"],"roles":{"r":{"allow":["` + strings.Repeat("r", 1<<20) + `"]}}}`,
		"a megabyte deep":  strings.Repeat("[", 1<<20),
		"17 megabytes":     `{"permissions":["a"],"roles":{}}` + strings.Repeat(" ", 17<<20),
	} {
		policy, err := donjon.ParsePolicy([]byte(document))
		switch {
		case err == nil:
			allowed, err := policy.Allows([]string{"r9999"}, "a:b")
			ok(t, err)
			equal(t, name, allowed, true)
			policy.Close()
		case !errors.Is(err, donjon.ErrConfig) && !errors.Is(err, donjon.ErrTooLarge) && !errors.Is(err, donjon.ErrMalformed):
			t.Errorf("%s: %v", name, err)
		case name == "many roles":
			t.Errorf("%s: %v", name, err)
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestCheckFindsWhatTheProgramRequires(t *testing.T) {
	policy := newPolicy(t, documents)
	for _, permission := range []string{"document:read", "document:read:{id}", "document:read:42", "document:*", "document"} {
		if err := policy.CheckPermission(permission); err != nil {
			t.Errorf("%s: %v", permission, err)
		}
	}
	for permission, want := range map[string]error{
		"document:raed":        donjon.ErrUnknownPermission,
		"document:create:{id}": donjon.ErrUnknownPermission,
		"Document:read":        donjon.ErrUnknownPermission,
		"documents":            donjon.ErrUnknownPermission,
		"":                     donjon.ErrMalformed,
		"document::read":       donjon.ErrMalformed,
		"doc*":                 donjon.ErrMalformed,
		" document:read":       donjon.ErrMalformed,
	} {
		if err := policy.CheckPermission(permission); !errors.Is(err, want) {
			t.Errorf("%q: %v", permission, err)
		}
	}
	ok(t, policy.CheckRole("editor"))
	for _, role := range []string{"", "Editor", "editor@acme", "ghost", "\x00"} {
		if err := policy.CheckRole(role); !errors.Is(err, donjon.ErrUnknownRole) {
			t.Errorf("role %q: %v", role, err)
		}
	}
}

func TestAssignmentKeepsTheConstraints(t *testing.T) {
	policy := newPolicy(t, documents)
	for name, c := range map[string]struct {
		held    []string
		role    string
		members uint64
		want    error
	}{
		"the first role":     {nil, "editor", 0, nil},
		"of a tenant":        {nil, "editor@acme", 1000, nil},
		"pay and approve":    {[]string{"editor", "payer"}, "approver", 0, donjon.ErrSeparationOfDuty},
		"the only owner":     {nil, "owner", 0, nil},
		"one owner too many": {nil, "owner", 1, donjon.ErrCardinalityExceeded},
		"no such role":       {nil, "ghost", 0, donjon.ErrUnknownRole},
		"nothing":            {nil, "", 0, donjon.ErrUnknownRole},
	} {
		if err := policy.CheckAssignment(c.held, c.role, c.members); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhoCanNamesTheRoles(t *testing.T) {
	policy := newPolicy(t, documents)
	for permission, want := range map[string]string{
		"document:create":  "admin editor owner",
		"document:read":    "admin editor intern owner viewer",
		"document:read:42": "admin editor intern owner reader-of-42 viewer",
		"user:read":        "admin",
	} {
		roles, err := policy.WhoCan(permission)
		ok(t, err)
		equal(t, "who can "+permission, strings.Join(roles, " "), want)
	}
}

func TestDiffSaysWhatRolesGainAndLose(t *testing.T) {
	before := newPolicy(t, `{"permissions":["d:read","d:write"],"roles":{
		"base":{"allow":["d:read"]},"heir":{"inherits":["base"]},"old":{}}}`)
	after := newPolicy(t, `{"permissions":["d:read","d:write","d:new"],"roles":{
		"base":{"allow":["d:write"]},"heir":{"inherits":["base"]},"young":{}},
		"constraints":{"cardinality":[{"role":"base","at_most":3}]}}`)
	diff, err := before.Diff(after)
	ok(t, err)
	equal(t, "roles added", strings.Join(diff.Roles.Added, " "), "young")
	equal(t, "roles removed", strings.Join(diff.Roles.Removed, " "), "old")
	equal(t, "permissions added", strings.Join(diff.Permissions.Added, " "), "d:new")
	equal(t, "permissions removed", len(diff.Permissions.Removed), 0)
	equal(t, "constraints added", len(diff.Constraints.Added), 1)
	equal(t, "constraints removed", len(diff.Constraints.Removed), 0)
	for _, role := range []string{"base", "heir"} {
		change := diff.Roles.Changed[role]
		equal(t, role+" gains", strings.Join(change.Gained, " "), "d:write")
		equal(t, role+" loses", strings.Join(change.Lost, " "), "d:read")
	}
	same, err := before.DiffJSON(before)
	ok(t, err)
	equal(t, "diff of the same", string(same),
		`{"roles":{"added":[],"removed":[],"changed":{}},"permissions":{"added":[],"removed":[]},"constraints":{"added":[],"removed":[]}}`)
}

func TestLintFindsWhatIsHardlyMeant(t *testing.T) {
	policy := newPolicy(t, `{"permissions":["a:b","a:c"],"roles":{
		"one":{"allow":["a:b"]},"other":{"allow":["a:b"]},
		"vain":{"allow":["a:c"],"deny":["a"]}}}`)
	findings, err := policy.Lint()
	ok(t, err)
	var found []string
	for _, finding := range findings {
		found = append(found, finding.Kind+" "+finding.Path)
		if finding.Message == "" {
			t.Errorf("%+v", finding)
		}
	}
	equal(t, "findings", strings.Join(found, ", "),
		"shadowed_grant roles.vain.allow, empty_role roles.vain, equal_roles roles.one, unused_permission permissions[1]")
	findings, err = newPolicy(t, `{"permissions":["a:b"],"roles":{"one":{"allow":["a:b"]}}}`).Lint()
	ok(t, err)
	equal(t, "findings in a good one", len(findings), 0)
}

func TestMatrixIsWrittenInThreeWays(t *testing.T) {
	policy := newPolicy(t, documents)
	text, err := policy.Matrix(donjon.MatrixJSON)
	ok(t, err)
	var matrix struct {
		Permissions, Roles []string
		Cells              map[string]map[string]string
	}
	ok(t, json.Unmarshal(text, &matrix))
	equal(t, "number of roles", len(matrix.Roles), 8)
	equal(t, "number of permissions", len(matrix.Permissions), 5)
	equal(t, "admin", len(matrix.Cells["admin"]), 5)
	equal(t, "payer", len(matrix.Cells["payer"]), 0)
	markdown, err := policy.Matrix(donjon.MatrixMarkdown)
	ok(t, err)
	html, err := policy.Matrix(donjon.MatrixHTML)
	ok(t, err)
	for _, role := range matrix.Roles {
		if !bytes.Contains(markdown, []byte(role)) || !bytes.Contains(html, []byte(role)) {
			t.Errorf("%s is missing", role)
		}
	}
	if !bytes.Contains(html, []byte("<table")) || !bytes.HasPrefix(bytes.ToLower(html), []byte("<!doctype html>")) {
		t.Errorf("no page: %.100s", html)
	}
	if _, err := policy.Matrix(3); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Error(err)
	}
}

func TestShippedPoliciesAreThoseOfTheDocuments(t *testing.T) {
	policy, err := donjon.ShippedPolicy(donjon.PolicyDeepInsight)
	ok(t, err)
	defer policy.Close()
	for role, want := range map[string]bool{"admin": true, "power_user": true, "standard_user": false, "viewer": false} {
		allowed, err := policy.Allows([]string{role}, "document:update")
		ok(t, err)
		equal(t, role, allowed, want)
	}
	cluster, err := donjon.ShippedPolicy(donjon.PolicySessionCluster)
	ok(t, err)
	defer cluster.Close()
	for role, want := range map[string]bool{"admin": true, "session_viewer": false, "auditor": false} {
		allowed, err := cluster.Allows([]string{role}, "sessions:create")
		ok(t, err)
		equal(t, role, allowed, want)
	}
	if _, err := donjon.ShippedPolicy("none"); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Error(err)
	}
	schema, err := donjon.PolicySchema()
	ok(t, err)
	if !json.Valid(schema) || !bytes.Contains(schema, []byte("json-schema.org")) {
		t.Errorf("schema %.100s", schema)
	}
}

func TestCasbinPolicyIsImported(t *testing.T) {
	policy, assignments, err := donjon.ImportCasbin([]byte("p, admin, data1, read\np, admin, data1, write\np, clerk, data1, read\ng, alice, admin\ng, bob, clerk\n"))
	ok(t, err)
	defer policy.Close()
	equal(t, "alice", strings.Join(assignments["alice"], " "), "admin")
	for who, want := range map[string]bool{"alice": true, "bob": false, "carol": false} {
		allowed, err := policy.Allows(assignments[who], "data1:write")
		ok(t, err)
		equal(t, who, allowed, want)
	}
	for _, csv := range []string{"p, admin", "x, y, z", "\xff", "p, , ,", "p, admin, data1, read, deny, more, and, more"} {
		if _, _, err := donjon.ImportCasbin([]byte(csv)); !errors.Is(err, donjon.ErrMalformed) {
			t.Errorf("%q: %v", csv, err)
		}
	}
}

func TestClosedPolicyDecidesNothing(t *testing.T) {
	policy := newPolicy(t, documents)
	open := newPolicy(t, documents)
	policy.Close()
	_, document := policy.Document()
	_, who := policy.WhoCan("user:read")
	_, subject := policy.Subject(nil, donjon.SubjectOptions{})
	_, allows := policy.Allows([]string{"admin"}, "user:read")
	_, before := policy.Diff(open)
	_, after := open.Diff(policy)
	errs := []error{document, who, subject, allows, before, after,
		policy.CheckPermission("user:read"), policy.CheckRole("admin"), policy.CheckAssignment(nil, "admin", 0)}
	if i := slices.IndexFunc(errs, func(err error) bool { return !errors.Is(err, donjon.ErrClosed) }); i >= 0 {
		t.Errorf("call %d: %v", i, errs[i])
	}
}
