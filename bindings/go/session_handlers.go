package donjon

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// SessionHandlers serve a user who looks after his sign-ins, each behind
// [RequireSession], which opts is for: a session of nobody is none here, unless they say
// otherwise.
//
//	GET /sessions               the list: {"sessions":[…]}
//	DELETE /sessions/{handle}   ends one
//	POST /logout                ends the current one, if there is one still
//	POST /logout/others         ends all others
//	POST /logout/everywhere     ends all, and all tokens
//	GET /csrf                   a CSRF token: {"csrf_token":"…"}
//
// Mount them where you like, with [http.StripPrefix]. What is to be ended is ended, also
// if the client has gone meanwhile.
func SessionHandlers(manager *SessionManager, opts *RequireSessionOptions) http.Handler {
	if opts == nil {
		opts = new(RequireSessionOptions)
	}
	required, whoever := *opts, whoeverAsks(opts)
	required.Optional, required.StepUp = false, false
	h := sessionHandlers{sessionGuard{required, manager}}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(http.ResponseWriter, *http.Request, signedIn) error{
		"GET /sessions":             h.list,
		"DELETE /sessions/{handle}": h.revoke,
		"POST /logout/others":       h.logOutOthers,
		"POST /logout/everywhere":   h.logOutEverywhere,
		"GET /csrf":                 h.csrf,
	} {
		handler := h.guarded(handle)
		if !strings.HasPrefix(pattern, http.MethodGet) {
			handler = lasting(handler)
		}
		mux.Handle(pattern, handler)
	}
	// Whoever wants out is let out: he need not authenticate again for it.
	mux.Handle("POST /logout", lasting(RequireSession(manager, &whoever)(http.HandlerFunc(h.leave))))
	return mux
}

// endTimeout is how long it may take to end sign-ins, whoever waits for it.
const endTimeout = 30 * time.Second

// lasting lets a request go on that ends something, though its client has gone: whoever
// logs out and closes the window is out.
func lasting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), endTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

type sessionHandlers struct{ guard sessionGuard }

// signedIn is who asks.
type signedIn struct {
	id      string
	session *Session
}

func (h *sessionHandlers) guarded(handle func(http.ResponseWriter, *http.Request, signedIn) error) http.Handler {
	return RequireSession(h.guard.manager, &h.guard.RequireSessionOptions)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := SessionFromContext(r.Context())
		id, err := h.guard.manager.Sessions().ReadCookie(r.Header)
		if err == nil {
			w.Header().Set("Cache-Control", "no-store")
			err = handle(w, r, signedIn{id, session})
		}
		if err != nil {
			h.guard.refuse(w, r, err)
		}
	}))
}

func (h *sessionHandlers) leave(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	var err error
	// What cannot be read is no session, and its cookie is cleared all the same.
	if id, unread := h.guard.manager.Sessions().ReadCookie(r.Header); unread == nil && id != "" {
		err = h.guard.manager.LogOut(r.Context(), id)
	}
	if err := h.gone(w, err); err != nil {
		h.guard.refuse(w, r, err)
	}
}

func (h *sessionHandlers) list(w http.ResponseWriter, r *http.Request, who signedIn) error {
	sessions := []Session{*who.session}
	sessions[0].Current = true
	if who.session.Subject != "" {
		var err error
		if sessions, err = h.guard.manager.List(r.Context(), who.session.Subject, who.id); err != nil {
			return err
		}
	}
	return writeJSON(w, map[string]any{"sessions": sessions})
}

func (h *sessionHandlers) revoke(w http.ResponseWriter, r *http.Request, who signedIn) error {
	handle := r.PathValue("handle")
	if handle == who.session.Handle || handle == who.id {
		return h.logOut(w, r, who)
	}
	err := ErrInvalidSession
	if who.session.Subject != "" {
		err = h.guard.manager.Revoke(r.Context(), who.session.Subject, handle)
	}
	if errors.Is(err, ErrInvalidSession) {
		http.NotFound(w, r)
		return nil
	}
	return done(w, err)
}

func (h *sessionHandlers) logOut(w http.ResponseWriter, r *http.Request, who signedIn) error {
	return h.gone(w, h.guard.manager.LogOut(r.Context(), who.id))
}

func (h *sessionHandlers) logOutOthers(w http.ResponseWriter, r *http.Request, who signedIn) error {
	if who.session.Subject == "" {
		return done(w, nil)
	}
	return done(w, h.guard.manager.RevokeOthers(r.Context(), who.session.Subject, who.id))
}

func (h *sessionHandlers) logOutEverywhere(w http.ResponseWriter, r *http.Request, who signedIn) error {
	if who.session.Subject == "" {
		return h.logOut(w, r, who)
	}
	return h.gone(w, h.guard.manager.LogOutEverywhere(r.Context(), who.session.Subject))
}

// gone answers that the session that asks has ended.
func (h *sessionHandlers) gone(w http.ResponseWriter, err error) error {
	if err == nil {
		err = h.guard.manager.Sessions().ClearCookies(w.Header())
	}
	return done(w, err)
}

func (h *sessionHandlers) csrf(w http.ResponseWriter, _ *http.Request, who signedIn) error {
	sessions := h.guard.manager.Sessions()
	token, err := sessions.CSRFToken(who.id)
	if err != nil {
		return err
	}
	cookie, err := sessions.CSRFCookie(token)
	if err != nil {
		return err
	}
	setCookie(w.Header(), cookie)
	w.Header().Set(CSRFHeader, token)
	return writeJSON(w, map[string]any{"csrf_token": token})
}

// done answers that there is nothing to say, unless it has failed.
func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func writeJSON(w http.ResponseWriter, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(text) // a client that has gone needs no answer
	return nil
}
