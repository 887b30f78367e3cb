package abi

/*
#include <donjon.h>

#cgo noescape donjon_sessions_check_request
#cgo nocallback donjon_sessions_check_request
*/
import "C"

// setCookieSize is how much room a Set-Cookie header takes, or it is asked twice.
const setCookieSize = 256

// SessionRequest is what a request says of where it comes from.
type SessionRequest struct{ ID, Method, FetchSite, Origin, Host, CSRFToken string }

// CSRFToken is donjon_sessions_csrf_token.
func (s Sessions) CSRFToken(id string) ([]byte, int32) {
	p, n := in(id)
	return filled(C.DONJON_CSRF_TOKEN_LEN, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_sessions_csrf_token(s.p, p, n, out, size, written)
	})
}

// CheckRequest is donjon_sessions_check_request.
func (s Sessions) CheckRequest(r SessionRequest) int32 {
	ip, n := in(r.ID)
	mp, mn := in(r.Method)
	fp, fn := in(r.FetchSite)
	op, on := in(r.Origin)
	hp, hn := in(r.Host)
	tp, tn := in(r.CSRFToken)
	return int32(C.donjon_sessions_check_request(s.p, ip, n, mp, mn, fp, fn, op, on, hp, hn, tp, tn))
}

// Cookie is donjon_sessions_cookie.
func (s Sessions) Cookie(id string) ([]byte, int32) {
	p, n := in(id)
	return filled(setCookieSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_sessions_cookie(s.p, p, n, out, size, written)
	})
}

// CSRFCookie is donjon_sessions_csrf_cookie.
func (s Sessions) CSRFCookie(token string) ([]byte, int32) {
	p, n := in(token)
	return filled(setCookieSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_sessions_csrf_cookie(s.p, p, n, out, size, written)
	})
}

// ReadCookie is donjon_sessions_read_cookie.
func (s Sessions) ReadCookie(header string) ([]byte, int32) {
	p, n := in(header)
	return filled(sessionIDSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_sessions_read_cookie(s.p, p, n, out, size, written)
	})
}
