package donjon

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// AuthorizeOptions are the optional parts of [RequirePermission] and its kin.
type AuthorizeOptions struct {
	// Roles returns the roles of whose request it is, where they are not those of a
	// token: a session has none, and they are looked up by the Subject of its
	// [SessionFromContext]. The permissions that a token says limit them all the
	// same. An error is answered with its HTTP status if it is an [*Error], and
	// with 500 if not.
	Roles func(*http.Request) ([]string, error)

	// Tenant returns where a request acts, perhaps by its host or its path; see
	// [SubjectOptions.Tenant]. An error is answered as one of Roles is.
	Tenant func(*http.Request) (string, error)

	// Logger is told why a request was refused, as the group "reason": its code,
	// its message and, if permission was denied, the explanation. The client is
	// not told.
	Logger *slog.Logger
}

// RequirePermission returns middleware that serves requests whose subject has
// permission, and answers all others with 403. It stands behind [RequireToken]:
// the subject is the [Policy.TokenSubject] of the claims in the context. Or it
// stands behind [RequireSession], and [AuthorizeOptions.Roles] says the roles: a
// visitor whom that serves without a user's session is answered with 401.
// Handlers find the subject by [SubjectFromContext].
//
// A permission that ends in a path value, as "document:read:{id}" does, is about
// the instance that [http.Request.PathValue] names. The middleware then wraps
// the handler of a route, not the [http.ServeMux].
//
// For every request, current is asked for the policy, so that it can be
// replaced: by the Load of an [sync/atomic.Pointer], say. A permission that the
// new one lacks is denied. The old one need not be closed: it is released when
// no request uses it.
//
// Like [http.ServeMux.Handle], RequirePermission panics on a mistake in the
// program: a permission that the catalogue lacks. A nil opts means the zero
// [AuthorizeOptions].
func RequirePermission(current func() *Policy, permission string, opts *AuthorizeOptions) func(http.Handler) http.Handler {
	return RequireAllPermissions(current, []string{permission}, opts)
}

// RequireAnyPermission is [RequirePermission] of at least one of permissions. It
// panics if there are none, or if they are about different path values.
func RequireAnyPermission(current func() *Policy, permissions []string, opts *AuthorizeOptions) func(http.Handler) http.Handler {
	return authorize(current, mustRequire(current(), Requirement{Permissions: permissions, Any: true}), opts)
}

// RequireAllPermissions is [RequirePermission] of all of permissions. It panics
// if there are none, or if they are about different path values.
func RequireAllPermissions(current func() *Policy, permissions []string, opts *AuthorizeOptions) func(http.Handler) http.Handler {
	return authorize(current, mustRequire(current(), Requirement{Permissions: permissions}), opts)
}

// RequireRole is [RequirePermission] of a role, which the subject has itself or
// by inheritance. It panics if the policy has no such role.
func RequireRole(current func() *Policy, role string, opts *AuthorizeOptions) func(http.Handler) http.Handler {
	if err := current().CheckRole(role); err != nil {
		panic(fmt.Sprintf("donjon: the role %q cannot be required: %v", role, err))
	}
	return authorize(current, roleRequirement(role), opts)
}

// mustRequire panics if r is a mistake in the program.
func mustRequire(policy *Policy, r Requirement) permissionRequirement {
	if len(r.Permissions) == 0 {
		panic("donjon: no permission is required")
	}
	for _, permission := range r.Permissions {
		if err := policy.CheckPermission(permission); err != nil {
			panic(fmt.Sprintf("donjon: the permission %q cannot be required: %v", permission, err))
		}
	}
	required, err := newPermissionRequirement(r)
	if err != nil {
		panic(err.Error())
	}
	return required
}

func authorize(current func() *Policy, required routeRequirement, opts *AuthorizeOptions) func(http.Handler) http.Handler {
	if opts == nil {
		opts = new(AuthorizeOptions)
	}
	a := &authorizer{AuthorizeOptions: *opts, current: current, required: required}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			subject, err := a.subject(r)
			if err == nil {
				defer subject.Close()
				err = a.required.check(r, subject)
			}
			if err != nil {
				a.refuse(w, r, subject, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(newSubjectContext(r.Context(), subject)))
		})
	}
}

type authorizer struct {
	AuthorizeOptions
	current  func() *Policy
	required routeRequirement
}

// errNobody is a mistake in how the service is put together, and none of the
// client's.
var errNobody = errors.New("donjon: neither verified claims, by RequireToken, nor a session and Roles of its user")

// subject returns who asks, until the request is served.
func (a *authorizer) subject(r *http.Request) (*Subject, error) {
	roles, permissions, err := a.granted(r)
	if err != nil {
		return nil, err
	}
	tenant := ""
	if a.Tenant != nil {
		if tenant, err = a.Tenant(r); err != nil {
			return nil, err
		}
	}
	subject, err := a.current().activate(roles, tenant, permissions)
	switch {
	case errors.Is(err, ErrInvalidArgument):
		// It may be the client's text, and nobody has a role there.
		return nil, fmt.Errorf("%w: the tenant is no name", ErrPermissionDenied)
	case errors.Is(err, ErrMalformed), errors.Is(err, ErrTooLarge):
		// No log-in would change that, which is what their own status asks for.
		return nil, fmt.Errorf("%w: the roles are no names, or too many", ErrPermissionDenied)
	case err != nil:
		return nil, err
	}
	return &Subject{hold(subject, abi.Subject.Free)}, nil
}

// granted returns the roles of who asks and what their token limits them to, as JSON.
func (a *authorizer) granted(r *http.Request) (roles, permissions string, err error) {
	claims, byToken := FromContext(r.Context())
	session, bySession := sessionIn(r.Context())
	switch {
	case byToken:
		roles, permissions = claims.granted()
	case a.Roles == nil, !bySession:
		return "", "", errNobody
	case session == nil, session.Subject == "":
		return "", "", errNoSession // of a user: RequireSession serves others as well
	}
	if a.Roles == nil {
		return roles, permissions, nil
	}
	found, err := a.Roles(r)
	return string(quote.AppendAll(nil, found)), permissions, err
}

func (a *authorizer) refuse(w http.ResponseWriter, r *http.Request, subject *Subject, err error) {
	reason := logged(err)
	if a.Logger != nil && subject != nil && errors.Is(err, ErrPermissionDenied) {
		reason = slog.GroupValue(append(reason.Group(), a.required.explain(r, subject))...)
	}
	status := httpStatus(err)
	_, byToken := FromContext(r.Context())
	switch {
	case status == http.StatusUnauthorized && byToken:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", sessionChallenge)
	case status == http.StatusForbidden && byToken:
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
	}
	refuse(w, r, toldOf(r, err, a.Logger), status, reason)
}
