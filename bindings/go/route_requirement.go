package donjon

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A routeRequirement is what a route requires of a subject.
type routeRequirement interface {
	check(*http.Request, *Subject) error
	explain(*http.Request, *Subject) slog.Attr
}

type roleRequirement string

func (role roleRequirement) check(_ *http.Request, subject *Subject) error {
	if !subject.HasRole(string(role)) {
		return ErrPermissionDenied
	}
	return nil
}

func (role roleRequirement) explain(*http.Request, *Subject) slog.Attr {
	return slog.String("role", string(role))
}

// permissionRequirement requires permissions, perhaps of the instance that the
// path value of this name says.
type permissionRequirement struct {
	abi.Requirement
	pathValue string
}

// newPermissionRequirement cuts the path value off the permissions of r, which
// are all about one or about none.
func newPermissionRequirement(r Requirement) (permissionRequirement, error) {
	permissions := make([]string, len(r.Permissions))
	pathValue := ""
	for i, text := range r.Permissions {
		permission, name := cutPathValue(text)
		if i > 0 && name != pathValue {
			return permissionRequirement{}, errors.New("donjon: permissions about different path values")
		}
		if strings.HasSuffix(name, "...") {
			return permissionRequirement{}, errors.New("donjon: the path value of {id...} is {id} in a permission")
		}
		permissions[i], pathValue = permission, name
	}
	r.Permissions = permissions
	return permissionRequirement{r.kernel(), pathValue}, nil
}

// cutPathValue cuts "document:read:{id}" into "document:read" and "id".
func cutPathValue(text string) (permission, name string) {
	at := strings.LastIndexByte(text, ':')
	last := text[at+1:]
	if at < 0 || len(last) < 3 || last[0] != '{' || last[len(last)-1] != '}' {
		return text, ""
	}
	return text[:at], last[1 : len(last)-1]
}

// errNoPathValue is a mistake in how the service is put together: the route has
// no such wildcard, or the middleware stands before the mux.
var errNoPathValue = errors.New("donjon: the request has no such path value")

func (p permissionRequirement) check(r *http.Request, subject *Subject) error {
	required, err := p.at(r)
	if err != nil {
		return err
	}
	return subject.check(required)
}

// at is what is required at the path of r.
func (p permissionRequirement) at(r *http.Request) (abi.Requirement, error) {
	if p.pathValue == "" {
		return p.Requirement, nil
	}
	p.Instance = r.PathValue(p.pathValue)
	switch {
	case p.Instance != "":
		return p.Requirement, nil
	case strings.Contains(r.Pattern, "{"+p.pathValue+"...}"):
		return p.Requirement, ErrPermissionDenied // the client asked for the empty path
	default:
		return p.Requirement, errNoPathValue
	}
}

func (p permissionRequirement) explain(r *http.Request, subject *Subject) slog.Attr {
	required, err := p.at(r)
	if err != nil {
		return slog.Attr{}
	}
	explanation, err := subject.explain(required)
	if err != nil {
		return slog.Attr{}
	}
	return slog.Any("explanation", explanation)
}
