package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/donjon-security/donjon/bindings/go"
)

const rbacModel = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
`

type roleGrant struct{ resource, action string }

func (g roleGrant) permission() string { return g.resource + ":" + g.action }

// measureRoles asks one question about 100 rules, those of src/roles/model.rs.
func measureRoles() {
	const rolesMade, grantsEach = 10, 10
	var catalogue []roleGrant
	for resource := range 20 {
		for _, action := range []string{"read", "write", "share", "delete", "audit"} {
			catalogue = append(catalogue, roleGrant{fmt.Sprintf("resource-%d", resource), action})
		}
	}
	grants := map[string][]roleGrant{}
	for role := range rolesMade {
		for grant := range grantsEach {
			name := fmt.Sprintf("role-%d", role)
			grants[name] = append(grants[name], catalogue[(role*37+grant*11)%len(catalogue)])
		}
	}
	held := []string{"role-3", "role-9"}

	policy := must(donjon.ParsePolicy(policyDocument(catalogue, grants)))
	defer policy.Close()
	subject := must(policy.Subject(held, donjon.SubjectOptions{}))
	defer subject.Close()
	enforcer := newEnforcer(grants, held)

	// Hits and misses in turn, on which both agree.
	isHit := func(grant roleGrant) bool {
		return slices.Contains(grants["role-0"], grant) || slices.Contains(grants[held[0]], grant) ||
			slices.Contains(grants[held[1]], grant)
	}
	var asked []roleGrant
	var permissions []string
	misses := slices.DeleteFunc(slices.Clone(catalogue), isHit)
	for _, hit := range catalogue {
		if isHit(hit) {
			miss := misses[len(asked)/2]
			asked = append(asked, hit, miss)
			permissions = append(permissions, hit.permission(), miss.permission())
		}
	}
	enforce := func(grant roleGrant) bool { return must(enforcer.Enforce(subjectName, grant.resource, grant.action)) }
	for i, grant := range asked {
		if subject.Has(permissions[i]) != isHit(grant) || must(policy.Allows(held, permissions[i])) != isHit(grant) ||
			enforce(grant) != isHit(grant) {
			panic("the verdicts differ")
		}
	}

	var ours, theirs int
	wanted := 1.0 / 30
	casbinName := "casbin " + version("github.com/casbin/casbin/v2")
	theirCall := func() { theirs++; enforce(asked[theirs%len(asked)]) }
	report("roles check from subject, 100 rules", casbinName, &wanted,
		func() { ours++; subject.Has(permissions[ours%len(permissions)]) }, theirCall)
	report("roles check from strings, 100 rules", casbinName, nil,
		func() { ours++; must(policy.Allows(held, permissions[ours%len(permissions)])) }, theirCall)
}

const subjectName = "ann"

func policyDocument(catalogue []roleGrant, grants map[string][]roleGrant) []byte {
	texts := func(grants []roleGrant) (texts []string) {
		for _, grant := range grants {
			texts = append(texts, grant.permission())
		}
		return texts
	}
	roles := map[string]any{}
	for name, allow := range grants {
		inherits := []string{"role-0"}
		if name == "role-0" {
			inherits = []string{}
		}
		roles[name] = map[string]any{"inherits": inherits, "allow": texts(allow)}
	}
	return must(json.Marshal(map[string]any{"name": "benchmark", "permissions": texts(catalogue), "roles": roles}))
}

func newEnforcer(grants map[string][]roleGrant, held []string) *casbin.Enforcer {
	enforcer := must(casbin.NewEnforcer(must(model.NewModelFromString(rbacModel))))
	for name, allow := range grants {
		for _, grant := range allow {
			must(enforcer.AddPolicy(name, grant.resource, grant.action))
		}
		if name != "role-0" {
			must(enforcer.AddGroupingPolicy(name, "role-0"))
		}
	}
	for _, role := range held {
		must(enforcer.AddGroupingPolicy(subjectName, role))
	}
	return enforcer
}
