package abi

/*
#include <donjon.h>

#cgo noescape donjon_sessions_check
#cgo nocallback donjon_sessions_check
#cgo nocallback donjon_sessions_free
*/
import "C"

import "sync"

// Sessions is a donjon_sessions.
type Sessions struct {
	p                         *C.donjon_sessions
	recordBound, sessionBound int
}

// What is otherwise than when a session began.
const (
	SessionAddressChanged   = C.DONJON_SESSION_CHANGED_ADDRESS
	SessionUserAgentChanged = C.DONJON_SESSION_CHANGED_USER_AGENT
)

// Which sign-ins are ended.
const (
	SessionsOne    = C.DONJON_SESSIONS_ONE
	SessionsOthers = C.DONJON_SESSIONS_OTHERS
	SessionsAll    = C.DONJON_SESSIONS_ALL
)

// SessionReasons are the kernel's numbers of why a session is refused.
var SessionReasons = [...]uint8{
	C.DONJON_SESSION_REASON_NONE, C.DONJON_SESSION_REASON_UNKNOWN, C.DONJON_SESSION_REASON_MALFORMED,
	C.DONJON_SESSION_REASON_IDLE, C.DONJON_SESSION_REASON_ABSOLUTE, C.DONJON_SESSION_REASON_ADDRESS,
	C.DONJON_SESSION_REASON_USER_AGENT, C.DONJON_SESSION_REASON_STORE, C.DONJON_SESSION_REASON_FOREIGN,
}

const (
	sessionIDSize   = C.DONJON_SESSION_ID_LEN
	sessionListSize = 4096 // of a few sign-ins, or it is asked twice
)

// SessionClient is where a request of a session comes from.
type SessionClient struct{ Address, UserAgent string }

// NewSession is what a sign-in begins with.
type NewSession struct {
	Subject     string
	Client      SessionClient
	Label, Data string
}

// FamilyUse is the use of a refresh token.
type FamilyUse struct {
	Subject, Family      string
	Generation, IssuedAt int64
	Client               SessionClient
}

// SessionMoment is when something is decided.
type SessionMoment struct{ NowMS, StoreSinceMS int64 }

// SessionVerdict is donjon_session_verdict, with the record and the session.
type SessionVerdict struct {
	Status                 int32
	Reason, Write, Changes uint8
	KeepMS                 int64
	Record, Session        []byte
}

// sessionRoom is what the kernel writes its answers in. It asks for room for the longest
// record and the longest session, and few are that long.
type sessionRoom struct{ record, session []byte }

var sessionRooms = sync.Pool{New: func() any { return new(sessionRoom) }}

// decided calls with room for the answers, and returns copies of them.
func (s Sessions) decided(call func(v *C.donjon_session_verdict, record *C.uint8_t, recordCap C.size_t, recordLen *C.size_t,
	session *C.uint8_t, sessionCap C.size_t, sessionLen *C.size_t) C.int32_t) (SessionVerdict, int32) {
	room := sessionRooms.Get().(*sessionRoom)
	defer sessionRooms.Put(room)
	if len(room.record) < s.recordBound {
		room.record = make([]byte, s.recordBound)
	}
	if len(room.session) < s.sessionBound {
		room.session = make([]byte, s.sessionBound)
	}
	var verdict C.donjon_session_verdict
	var recordLen, sessionLen C.size_t
	decide := func() C.int32_t {
		return call(&verdict, start(room.record), C.size_t(len(room.record)), &recordLen,
			start(room.session), C.size_t(len(room.session)), &sessionLen)
	}
	status := decide()
	if status == C.DONJON_BUFFER_TOO_SMALL && int(sessionLen) > len(room.session) {
		room.session = make([]byte, sessionLen) // a list of sessions
		status = decide()
	}
	if status != C.DONJON_OK {
		return SessionVerdict{}, int32(status)
	}
	return SessionVerdict{
		Status: int32(verdict.status), Reason: uint8(verdict.reason),
		Write: uint8(verdict.write), Changes: uint8(verdict.changes), KeepMS: int64(verdict.keep_ms),
		Record:  append([]byte(nil), room.record[:recordLen]...),
		Session: append([]byte(nil), room.session[:sessionLen]...),
	}, StatusOK
}

// NewSessions is donjon_sessions_new.
func NewSessions(k Keyring, config string) (s Sessions, status int32) {
	p, n := in(config)
	if status = int32(C.donjon_sessions_new(k.p, p, n, &s.p)); status != StatusOK {
		return s, status
	}
	s.recordBound = int(C.donjon_sessions_record_bound(s.p))
	s.sessionBound = int(C.donjon_sessions_session_bound(s.p))
	return s, status
}

// SessionsDiagnose is donjon_sessions_diagnose.
func SessionsDiagnose(k Keyring, config string) ([]byte, int32) {
	p, n := in(config)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_sessions_diagnose(k.p, p, n, out, size, written)
	})
}

// Keys is donjon_sessions_keys: a JSON list.
func (s Sessions) Keys(subject string) ([]byte, int32) {
	p, n := in(subject)
	return filled(recordKeySize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_sessions_keys(s.p, p, n, out, size, written)
	})
}

// Key is donjon_sessions_key.
func (s Sessions) Key(id string) ([]byte, int32) {
	p, n := in(id)
	return filled(recordKeySize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_sessions_key(s.p, p, n, out, size, written)
	})
}

// Create is donjon_sessions_create.
func (s Sessions) Create(record string, n NewSession, at SessionMoment) (id string, v SessionVerdict, status int32) {
	rp, rn := in(record)
	up, un := in(n.Subject)
	ap, an := in(n.Client.Address)
	bp, bn := in(n.Client.UserAgent)
	lp, ln := in(n.Label)
	dp, dn := in(n.Data)
	text := make([]byte, sessionIDSize)
	v, status = s.decided(func(v *C.donjon_session_verdict, record *C.uint8_t, recordCap C.size_t, recordLen *C.size_t,
		session *C.uint8_t, sessionCap C.size_t, sessionLen *C.size_t) C.int32_t {
		return C.donjon_sessions_create(s.p, rp, rn, up, un, ap, an, bp, bn, lp, ln, dp, dn,
			C.int64_t(at.NowMS), C.int64_t(at.StoreSinceMS), start(text), v, record, recordCap, recordLen, session, sessionCap, sessionLen)
	})
	if v.Status != StatusOK || status != StatusOK {
		return "", v, status
	}
	return Text(text), v, status
}

// Check is donjon_sessions_check.
func (s Sessions) Check(record, id string, c SessionClient, at SessionMoment) (SessionVerdict, int32) {
	rp, rn := in(record)
	ip, n := in(id)
	ap, an := in(c.Address)
	bp, bn := in(c.UserAgent)
	return s.decided(func(v *C.donjon_session_verdict, record *C.uint8_t, recordCap C.size_t, recordLen *C.size_t,
		session *C.uint8_t, sessionCap C.size_t, sessionLen *C.size_t) C.int32_t {
		return C.donjon_sessions_check(s.p, rp, rn, ip, n, ap, an, bp, bn,
			C.int64_t(at.NowMS), C.int64_t(at.StoreSinceMS), v, record, recordCap, recordLen, session, sessionCap, sessionLen)
	})
}

// Rotate is donjon_sessions_rotate.
func (s Sessions) Rotate(record, id string, c SessionClient, data string, at SessionMoment) (next string, v SessionVerdict, status int32) {
	rp, rn := in(record)
	ip, n := in(id)
	ap, an := in(c.Address)
	bp, bn := in(c.UserAgent)
	dp, dn := in(data)
	text := make([]byte, sessionIDSize)
	v, status = s.decided(func(v *C.donjon_session_verdict, record *C.uint8_t, recordCap C.size_t, recordLen *C.size_t,
		session *C.uint8_t, sessionCap C.size_t, sessionLen *C.size_t) C.int32_t {
		return C.donjon_sessions_rotate(s.p, rp, rn, ip, n, ap, an, bp, bn, dp, dn,
			C.int64_t(at.NowMS), C.int64_t(at.StoreSinceMS), start(text), v, record, recordCap, recordLen, session, sessionCap, sessionLen)
	})
	if v.Status != StatusOK || status != StatusOK {
		return "", v, status
	}
	return Text(text), v, status
}

// BeginFamily is donjon_sessions_begin_family.
func (s Sessions) BeginFamily(record string, n NewSession, at SessionMoment) (state []byte, v SessionVerdict, status int32) {
	rp, rn := in(record)
	up, un := in(n.Subject)
	ap, an := in(n.Client.Address)
	bp, bn := in(n.Client.UserAgent)
	lp, ln := in(n.Label)
	dp, dn := in(n.Data)
	state = make([]byte, RefreshStateSize)
	v, status = s.decided(func(v *C.donjon_session_verdict, record *C.uint8_t, recordCap C.size_t, recordLen *C.size_t,
		session *C.uint8_t, sessionCap C.size_t, sessionLen *C.size_t) C.int32_t {
		return C.donjon_sessions_begin_family(s.p, rp, rn, up, un, ap, an, bp, bn, lp, ln, dp, dn,
			C.int64_t(at.NowMS), C.int64_t(at.StoreSinceMS), start(state), v, record, recordCap, recordLen, session, sessionCap, sessionLen)
	})
	if v.Status != StatusOK || status != StatusOK {
		return nil, v, status
	}
	return state, v, status
}

// Refresh is donjon_sessions_refresh.
func (s Sessions) Refresh(record string, u FamilyUse, at SessionMoment) (state []byte, v SessionVerdict, status int32) {
	rp, rn := in(record)
	up, un := in(u.Subject)
	fp, fn := in(u.Family)
	ap, an := in(u.Client.Address)
	bp, bn := in(u.Client.UserAgent)
	state = make([]byte, RefreshStateSize)
	v, status = s.decided(func(v *C.donjon_session_verdict, record *C.uint8_t, recordCap C.size_t, recordLen *C.size_t,
		session *C.uint8_t, sessionCap C.size_t, sessionLen *C.size_t) C.int32_t {
		return C.donjon_sessions_refresh(s.p, rp, rn, up, un, fp, fn, C.int64_t(u.Generation), C.int64_t(u.IssuedAt), ap, an, bp, bn,
			C.int64_t(at.NowMS), C.int64_t(at.StoreSinceMS), start(state), v, record, recordCap, recordLen, session, sessionCap, sessionLen)
	})
	if v.Status != StatusOK || status != StatusOK {
		return nil, v, status
	}
	return state, v, status
}

// List is donjon_sessions_list: a JSON list.
func (s Sessions) List(record, subject, current string, at SessionMoment) ([]byte, int32) {
	rp, rn := in(record)
	up, un := in(subject)
	cp, cn := in(current)
	return filled(sessionListSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_sessions_list(s.p, rp, rn, up, un, cp, cn, C.int64_t(at.NowMS), C.int64_t(at.StoreSinceMS), out, size, written)
	})
}

// Revoke is donjon_sessions_revoke. What it calls the session is a JSON list of those
// that went.
func (s Sessions) Revoke(record, subject string, which uint32, handle string, at SessionMoment) (SessionVerdict, int32) {
	rp, rn := in(record)
	up, un := in(subject)
	hp, hn := in(handle)
	return s.decided(func(v *C.donjon_session_verdict, record *C.uint8_t, recordCap C.size_t, recordLen *C.size_t,
		session *C.uint8_t, sessionCap C.size_t, sessionLen *C.size_t) C.int32_t {
		return C.donjon_sessions_revoke(s.p, rp, rn, up, un, C.uint32_t(which), hp, hn,
			C.int64_t(at.NowMS), C.int64_t(at.StoreSinceMS), v, record, recordCap, recordLen, session, sessionCap, sessionLen)
	})
}

// Free is donjon_sessions_free.
func (s Sessions) Free() { C.donjon_sessions_free(s.p) }
