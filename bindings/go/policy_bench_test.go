package donjon_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

// benchPolicy has a hundred rules: ten roles, ten permissions each.
func benchPolicy(t testing.TB) *donjon.Policy {
	t.Helper()
	var permissions, roles []string
	for role := range 10 {
		var allow []string
		for action := range 10 {
			allow = append(allow, fmt.Sprintf(`"data%d:action%d"`, role, action))
		}
		permissions = append(permissions, allow...)
		roles = append(roles, fmt.Sprintf(`"role%d":{"allow":[%s]}`, role, strings.Join(allow, ",")))
	}
	return newPolicy(t, fmt.Sprintf(`{"permissions":[%s],"roles":{%s}}`, strings.Join(permissions, ","), strings.Join(roles, ",")))
}

func TestHasAllocatesNothing(t *testing.T) {
	subject := newSubject(t, benchPolicy(t), "role7")
	for permission, want := range map[string]bool{"data7:action3": true, "data3:action7": false, "::": false} {
		got := testing.AllocsPerRun(1000, func() {
			if subject.Has(permission) != want {
				t.Error(permission)
			}
		})
		equal(t, "allocations for "+permission, got, 0)
	}
}

func BenchmarkHas(b *testing.B) {
	subject := newSubject(b, benchPolicy(b), "role7")
	b.ReportAllocs()
	for b.Loop() {
		if !subject.Has("data7:action3") {
			b.Fatal("denied")
		}
	}
}

func BenchmarkHasParallel(b *testing.B) {
	subject := newSubject(b, benchPolicy(b), "role7")
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if !subject.Has("data7:action3") {
				b.Error("denied")
			}
		}
	})
}

func BenchmarkHasAll(b *testing.B) {
	subject := newSubject(b, benchPolicy(b), "role7")
	b.ReportAllocs()
	for b.Loop() {
		if !subject.HasAll("data7:action3", "data7:action4") {
			b.Fatal("denied")
		}
	}
}

func BenchmarkAllows(b *testing.B) {
	policy, roles := benchPolicy(b), []string{"role7"}
	b.ReportAllocs()
	for b.Loop() {
		if allowed, err := policy.Allows(roles, "data7:action3"); !allowed {
			b.Fatal(err)
		}
	}
}

func BenchmarkSubject(b *testing.B) {
	policy, roles := benchPolicy(b), []string{"role7"}
	b.ReportAllocs()
	for b.Loop() {
		subject, err := policy.Subject(roles, donjon.SubjectOptions{})
		if err != nil {
			b.Fatal(err)
		}
		subject.Close()
	}
}

// What the middleware adds to a request.
func BenchmarkRequirePermission(b *testing.B) {
	f := newFixture(b)
	token, err := f.issuer.Access(donjon.Grant{Subject: "ann", Roles: []string{"role7"}})
	ok(b, err)
	claims, err := f.verifier.Verify(token)
	ok(b, err)
	served := 0
	h := donjon.RequirePermission(always(benchPolicy(b)), "data7:action3", nil)(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(donjon.NewContext(r.Context(), claims))
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
	if served == 0 {
		b.Fatal("served nobody")
	}
}
