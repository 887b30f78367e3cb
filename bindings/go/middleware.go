package donjon

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
)

// RequireOptions are the optional parts of [RequireToken].
type RequireOptions struct {
	// Check is asked about every verified token, to refuse the revoked ones. An
	// error that is no refusal of the kernel, such as a store that is down, is
	// answered with 500: the handler is not reached.
	Check func(context.Context, *Claims) error

	// Logger is told why a request was refused, as the group "reason": its
	// message, and the code if it is an [*Error]. The client is not told.
	Logger *slog.Logger
}

// RequireToken returns middleware that serves requests with a good bearer token
// (RFC 6750) and refuses all others. Handlers find the claims by [FromContext].
// A nil opts means the zero [RequireOptions].
func RequireToken(verifier TokenVerifier, opts *RequireOptions) func(http.Handler) http.Handler {
	if opts == nil {
		opts = new(RequireOptions)
	}
	guard := guard{verifier: verifier, RequireOptions: *opts}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims, err := guard.admit(r)
			if err != nil {
				guard.refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(NewContext(r.Context(), claims)))
		})
	}
}

type guard struct {
	RequireOptions
	verifier TokenVerifier
}

// errNoToken is a request without credentials, whose answer names no error
// (RFC 6750, section 3.1).
var errNoToken = errors.New("donjon: no bearer token")

func (g *guard) admit(r *http.Request) (*Claims, error) {
	token, err := bearer(r.Header)
	if err != nil {
		return nil, err
	}
	claims, err := g.verifier.VerifyContext(r.Context(), token)
	if err != nil {
		return nil, err
	}
	if g.Check != nil {
		if err := g.Check(r.Context(), claims); err != nil {
			return nil, err
		}
	}
	return claims, nil
}

// bearer returns the token of the one Authorization header.
func bearer(h http.Header) (string, error) {
	lines := h["Authorization"]
	if len(lines) == 0 {
		return "", errNoToken
	}
	if len(lines) > 1 {
		return "", ErrMalformed
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errNoToken
	}
	return strings.TrimLeft(token, " "), nil
}

func (g *guard) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusUnauthorized
	switch {
	case err == errNoToken:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case httpStatus(err) >= http.StatusInternalServerError:
		status = httpStatus(err)
	default:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	refuse(w, r, toldOf(r, err, g.Logger), status, logged(err))
}

// toldOf is the logger that is told of err: none if the client has gone, which is no
// failure of the service.
func toldOf(r *http.Request, err error, logger *slog.Logger) *slog.Logger {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return nil
	}
	return logger
}

// allows refuses a request whose method is none of these.
func allows(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	return false
}

// httpStatus is what a request is answered with that ended in err: what is no refusal,
// such as a store that is down, is the service's failure.
func httpStatus(err error) int {
	var refusal *Error
	switch {
	case errors.As(err, &refusal):
		return refusal.HTTPStatus()
	case err == errNoSession:
		return http.StatusUnauthorized
	case err == errNotJSONBody:
		return http.StatusBadRequest
	default:
		return http.StatusInternalServerError
	}
}

// refuse answers with the name of the status and nothing else, and logs why.
func refuse(w http.ResponseWriter, r *http.Request, logger *slog.Logger, status int, reason slog.Value) {
	logRefusal(r, logger, status, reason)
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}

func logRefusal(r *http.Request, logger *slog.Logger, status int, reason slog.Value) {
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if logger != nil {
		logger.LogAttrs(r.Context(), level, "request refused",
			slog.Int("status", status), slog.Attr{Key: "reason", Value: reason},
			slog.String("method", r.Method), slog.String("path", r.URL.Path))
	}
}
