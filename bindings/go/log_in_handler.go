package donjon

import (
	"errors"
	"net/http"
)

// Credentials are what somebody shows who wants to log in. They are not shown or
// marshalled.
type Credentials struct {
	hidden

	Username string
	Password []byte
	Device   string // what the user's list of sessions is to call the device; empty if they do not say
}

// LogInHandler takes {"username":"…","password":"…","device":"…"} by POST and, if
// authenticate says whose they are, begins a session of that user and sets its cookies:
// 204. The session that the browser had before is over. Who fails keeps it.
//
// Authenticate returns the user's id, or why there is none: [ErrPasswordMismatch] is
// answered with 401, a [*LimitError] with 429, and what is no refusal of the kernel with
// 500. Pages of other sites can log nobody in. Of opts, the handler decides itself which
// sessions it serves.
func LogInHandler(manager *SessionManager, authenticate func(*http.Request, Credentials) (subject string, err error), opts *RequireSessionOptions) http.Handler {
	whoever := whoeverAsks(opts)
	return RequireSession(manager, &whoever)(&logInHandler{sessionGuard{whoever, manager}, authenticate})
}

// whoeverAsks are opts for what nobody needs a session for that is good.
func whoeverAsks(opts *RequireSessionOptions) RequireSessionOptions {
	var whoever RequireSessionOptions
	if opts != nil {
		whoever = *opts
	}
	whoever.Optional, whoever.Anonymous, whoever.StepUp = true, true, true
	return whoever
}

type logInHandler struct {
	guard        sessionGuard
	authenticate func(*http.Request, Credentials) (string, error)
}

func (h *logInHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if !allows(w, r, http.MethodPost) {
		return
	}
	err := h.logIn(w, r)
	var limited *LimitError
	if errors.As(err, &limited) && limited.Result.Refuse(w, 0, "") == nil {
		logRefusal(r, h.guard.Logger, http.StatusTooManyRequests, logged(err))
		return
	}
	if err != nil {
		h.guard.refuse(w, r, err)
	}
}

func (h *logInHandler) logIn(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Username string `json:"username"`
		Password string `json:"password"`
		Device   string `json:"device"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if body.Username == "" {
		return errNotJSONBody
	}
	subject, err := h.authenticate(r, Credentials{Username: body.Username, Password: []byte(body.Password), Device: body.Device})
	if err == nil && subject == "" {
		err = ErrPasswordMismatch
	}
	if err != nil {
		return err
	}
	sessions := h.guard.manager.Sessions()
	previous, unread := sessions.ReadCookie(r.Header)
	if unread != nil {
		previous = "" // which is no session
	}
	in, err := h.guard.manager.LogIn(r.Context(), NewSession{
		Subject: subject, Client: clientOf(r, h.guard.Proxies), Label: body.Device,
	}, previous)
	if err != nil {
		return err
	}
	return done(w, sessions.SetCookies(w.Header(), in.ID))
}
