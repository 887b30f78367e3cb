package donjon_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestPermissionImpliesItsParts(t *testing.T) {
	for _, c := range []struct {
		granted, required string
		want              bool
	}{
		{"document", "document:read", true},
		{"document:read", "document:read:42", true},
		{"document:*", "document:read", true},
		{"document:read,update", "document:update", true},
		{"*", "document:read:42", true},
		{"*:read", "document:read", true},
		{"document:*:42", "document:read:42", true},
		{"document:read:*", "document:read", true},

		{"document:read", "document", false},
		{"document:read", "document:read_all", false},
		{"document:read", "Document:read", false},
		{"document:read", " document:read", false},
		{"document:read", "document:read ", false},
		{"document", "documents", false},
		{"document:read", "document:*", false},
		{"document:read", "document:read,update", false},
		{"document:read:42", "document:read", false},
		{"document:*:42", "document:read:43", false},

		{"*", "", false},
		{"*", ":", false},
		{"*", "::", false},
		{"*", "document:", false},
		{"*", "doc*", false},
		{"*", "document:\x00", false},
		{"*", "document:\xff", false},
		{"*", strings.Repeat("a", 513), false},
		{"*", "a:b:c:d:e:f:g:h:i", false},
	} {
		got, err := donjon.PermissionImplies(c.granted, c.required)
		ok(t, err)
		equal(t, c.granted+" implies "+c.required, got, c.want)
	}
	for _, granted := range []string{"", "::", "doc*", "a,", " a", "a\x00", "\xff", strings.Repeat("a", 513)} {
		if got, err := donjon.PermissionImplies(granted, "document:read"); got || !errors.Is(err, donjon.ErrMalformed) {
			t.Errorf("%.20q: %v, %v", granted, got, err)
		}
	}
}
