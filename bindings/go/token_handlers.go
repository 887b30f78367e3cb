package donjon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// TokenHandlerOptions are the optional parts of [RefreshHandler] and
// [TokenLogOutHandler].
type TokenHandlerOptions struct {
	// Access returns what an access token says that is issued in return for a refresh
	// token with these claims, such as the roles that its subject has now; if nil,
	// nothing but its subject. It may refuse.
	Access func(context.Context, *Claims) (Grant, error)

	// Proxies tell where a request comes from.
	Proxies *Proxies

	// Logger is told why a request was refused, as the group "reason". The client is not
	// told.
	Logger *slog.Logger
}

// RefreshHandler takes {"refresh_token":"…"} by POST, and answers with the next pair:
// {"access_token":"…","refresh_token":"…","token_type":"Bearer"}. Verifier is one of
// refresh tokens. What is not good is answered with 401, and nothing else is told.
//
// For every request, current is asked for the issuer, so that its keys can be rotated:
// by the Load of an [sync/atomic.Pointer], say.
func RefreshHandler(manager *SessionManager, current func() *Issuer, verifier TokenVerifier, opts *TokenHandlerOptions) http.Handler {
	h := newTokenHandler(manager, verifier, opts)
	return h.taking(func(w http.ResponseWriter, r *http.Request, claims *Claims) error {
		var access Grant
		if h.Access != nil {
			var err error
			if access, err = h.Access(r.Context(), claims); err != nil {
				return err
			}
		}
		pair, err := manager.RefreshTokens(r.Context(), current(), claims, clientOf(r, h.Proxies), access)
		if err != nil {
			return err
		}
		return writeJSON(w, map[string]any{
			"access_token": pair.Access, "refresh_token": pair.Refresh, "token_type": "Bearer",
		})
	}, h.refuse)
}

// TokenLogOutHandler takes {"refresh_token":"…"} by POST, and ends the sign-in that the
// token belongs to, also if the client has gone meanwhile. It answers with 204 whatever
// the token was, as RFC 7009 has it.
func TokenLogOutHandler(manager *SessionManager, verifier TokenVerifier, opts *TokenHandlerOptions) http.Handler {
	h := newTokenHandler(manager, verifier, opts)
	return lasting(h.taking(func(w http.ResponseWriter, r *http.Request, claims *Claims) error {
		return done(w, manager.LogOutTokens(r.Context(), claims))
	}, func(w http.ResponseWriter, r *http.Request, err error) {
		if httpStatus(err) == http.StatusUnauthorized {
			_ = done(w, nil)
			return
		}
		h.refuse(w, r, err)
	}))
}

type tokenHandler struct {
	TokenHandlerOptions
	manager  *SessionManager
	verifier TokenVerifier
}

func newTokenHandler(manager *SessionManager, verifier TokenVerifier, opts *TokenHandlerOptions) *tokenHandler {
	if opts == nil {
		opts = new(TokenHandlerOptions)
	}
	return &tokenHandler{*opts, manager, verifier}
}

// maxBody is more than the longest token takes, or the longest password.
const maxBody = 64 << 10

// errNotJSONBody is a request that is none of these handlers'.
var errNotJSONBody = errors.New("donjon: not a JSON body, or not with what is needed")

// readJSON reads the body of a request. That it has to say that it is JSON keeps forms
// of other sites out, whatever the browser.
func readJSON(w http.ResponseWriter, r *http.Request, body any) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return errNotJSONBody
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	// What is not Unicode would be decoded as something else: one password as another.
	if err != nil || !utf8.Valid(text) || hasHalfPair(text) || json.Unmarshal(text, body) != nil {
		return errNotJSONBody
	}
	return nil
}

// hasHalfPair reports whether a JSON text has half a surrogate pair.
func hasHalfPair(text []byte) bool {
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return false
		}
		text = text[at:]
		half, is := surrogate(text)
		if !is {
			text = text[min(2, len(text)):] // an escaped backslash begins nothing
			continue
		}
		text = text[len(`\ud800`):]
		other, _ := surrogate(text)
		if utf16.DecodeRune(half, other) == utf8.RuneError {
			return true
		}
		text = text[len(`\udc00`):]
	}
}

// surrogate returns the half of a surrogate pair that text begins with, escaped.
func surrogate(text []byte) (half rune, is bool) {
	if len(text) < len(`\ud800`) || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(unit), err == nil && utf16.IsSurrogate(rune(unit))
}

// taking calls handle with the claims of the refresh token that a request has.
func (h *tokenHandler) taking(handle func(http.ResponseWriter, *http.Request, *Claims) error, refuse func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if !allows(w, r, http.MethodPost) {
			return
		}
		token, err := refreshTokenOf(w, r)
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		claims, err := h.verifier.VerifyContext(r.Context(), token)
		if err == nil {
			err = handle(w, r, claims)
		}
		if err != nil {
			refuse(w, r, err)
		}
	})
}

func refreshTokenOf(w http.ResponseWriter, r *http.Request) (string, error) {
	var body struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return "", err
	}
	if body.RefreshToken == "" {
		return "", errNotJSONBody
	}
	return body.RefreshToken, nil
}

func (h *tokenHandler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := httpStatus(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	refuse(w, r, toldOf(r, err, h.Logger), status, logged(err))
}
