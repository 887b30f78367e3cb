package donjon

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

// RequireSessionOptions are the optional parts of [RequireSession].
type RequireSessionOptions struct {
	// Optional serves requests without a good session as well: handlers find out by
	// [SessionFromContext]. Requests from other sites are refused all the same, so that
	// nobody is logged in by one.
	Optional bool

	// Anonymous serves sessions of nobody as well, from before log-in, whose Subject is
	// empty. Otherwise they are none: whoever comes by gets one.
	Anonymous bool

	// StepUp serves sessions as well whose user has to authenticate again: for the route
	// where he does, which makes sure that it is the session's Subject, and then calls
	// [SessionManager.Rotate]; and for no other.
	StepUp bool

	// Proxies tell where a request comes from.
	Proxies *Proxies

	// CSRFToken returns the CSRF token of a request, such as a field of a form; if nil,
	// it is that of the header [CSRFHeader].
	CSRFToken func(*http.Request) string

	// Logger is told why a request was refused, as the group "reason". The client is not
	// told.
	Logger *slog.Logger
}

// RequireSession returns middleware that serves requests with a good session of a user,
// which handlers find by [SessionFromContext], and answers all others with 401: those
// that another site may have sent with 403, and all with 503 while the store does not
// answer. A cookie whose session has ended is cleared. A nil opts means the zero
// [RequireSessionOptions].
func RequireSession(manager *SessionManager, opts *RequireSessionOptions) func(http.Handler) http.Handler {
	if opts == nil {
		opts = new(RequireSessionOptions)
	}
	guard := sessionGuard{*opts, manager}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Cookie")
			session, err := guard.admit(r)
			if err != nil && !guard.isOptional(w, err) {
				guard.refuse(w, r, err)
				return
			}
			// Also that there is none: that of another manager, around this one, is none here.
			next.ServeHTTP(w, r.WithContext(newSessionContext(r.Context(), session)))
		})
	}
}

type sessionGuard struct {
	RequireSessionOptions
	manager *SessionManager
}

// errNoSession is a request without a session's cookie.
var errNoSession = errors.New("donjon: no session")

func (g *sessionGuard) admit(r *http.Request) (*Session, error) {
	sessions := g.manager.Sessions()
	id, unread := sessions.ReadCookie(r.Header)
	if errors.Is(unread, ErrTooLarge) {
		unread = fmt.Errorf("%w: the cookies are too large to be read", ErrInvalidSession)
	}
	if unread != nil && !errors.Is(unread, ErrInvalidSession) {
		return nil, unread
	}
	forged := sessions.CheckRequest(r, id, g.token(r))
	if forged != nil && !errors.Is(forged, ErrCSRFFailed) {
		return nil, forged
	}
	if unread != nil {
		return nil, unread
	}
	if id == "" {
		return nil, errNoSession
	}
	session, err := g.manager.Check(r.Context(), id, clientOf(r, g.Proxies))
	switch {
	case err != nil && session == nil:
		return nil, err
	case forged != nil:
		return nil, forged // not before: with a dead session, nobody has a token for log-in
	case err != nil && !g.StepUp:
		return nil, err
	case session.Subject == "" && !g.Anonymous:
		return nil, errNoSession
	}
	return session, nil
}

func (g *sessionGuard) token(r *http.Request) string {
	if g.CSRFToken != nil {
		return g.CSRFToken(r)
	}
	return r.Header.Get(CSRFHeader)
}

// clientOf is where a request comes from; what is not known, is empty.
func clientOf(r *http.Request, proxies *Proxies) SessionClient {
	client, err := proxies.Client(r)
	if err != nil {
		client = Client{}
	}
	return SessionClient{Address: client.IP, UserAgent: r.UserAgent()}
}

// isOptional reports whether a request is served although it has no session.
func (g *sessionGuard) isOptional(w http.ResponseWriter, err error) bool {
	if !g.Optional || httpStatus(err) != http.StatusUnauthorized {
		return false
	}
	g.clear(w, err)
	return true
}

// clear has the client forget a session that has ended.
func (g *sessionGuard) clear(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrInvalidSession) || errors.Is(err, ErrExpired) {
		_ = g.manager.Sessions().ClearCookies(w.Header()) // the session is dead all the same
	}
}

// sessionChallenge is that of a 401 to who has no session.
const sessionChallenge = "APIKey"

func (g *sessionGuard) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := httpStatus(err)
	if status == http.StatusUnauthorized {
		challenge := sessionChallenge
		if errors.Is(err, ErrStepUpRequired) {
			challenge = `APIKey error="insufficient_user_authentication"` // as RFC 9470 calls it
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	g.clear(w, err)
	refuse(w, r, toldOf(r, err, g.Logger), status, logged(err))
}
