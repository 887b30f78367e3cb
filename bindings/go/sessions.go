package donjon

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// Sessions decide about sessions and refresh families, and store nothing: they are
// given the record of a user and say what becomes of it. It is what a [SessionManager]
// is made of, which keeps the records in a [RecordStore]; services rarely need it by
// itself.
type Sessions struct {
	handle *handle[abi.Sessions]
}

// NewSessions makes sessions. Keys needs primary secrets for [PurposeDevice] and
// [PurposeCSRF].
func NewSessions(keys *Keyring, opts SessionsOptions) (*Sessions, error) {
	config, err := opts.document()
	if err != nil {
		return nil, err
	}
	return newSessions(keys, config)
}

// ParseSessions is [NewSessions] of the kernel's own configuration document, a JSON
// object that is the same in every language.
func ParseSessions(keys *Keyring, config []byte) (*Sessions, error) {
	return newSessions(keys, abi.Text(config))
}

func newSessions(keys *Keyring, config string) (*Sessions, error) {
	k, err := keys.borrow()
	if err != nil {
		return nil, err
	}
	defer keys.handle.giveBack()
	s, status := abi.NewSessions(k, config)
	err = accepted(status, func() ([]byte, int32) { return abi.SessionsDiagnose(k, config) })
	if err != nil {
		return nil, err
	}
	sessions := new(Sessions)
	sessions.handle = own(sessions, s, abi.Sessions.Free)
	return sessions, nil
}

// A SessionClient is where a request of a session comes from.
type SessionClient struct {
	Address   string // [Client.IP]; empty if unknown
	UserAgent string // the header field; empty if there is none
}

func momentOf(now, storeSince time.Time) abi.SessionMoment {
	return abi.SessionMoment{NowMS: now.UnixMilli(), StoreSinceMS: sinceMS(storeSince)}
}

func (c SessionClient) kernel() abi.SessionClient { return abi.SessionClient(c) }

// NewSession is what a sign-in begins with.
type NewSession struct {
	// Subject is the user's id, up to 1,024 bytes.
	Subject string

	Client SessionClient

	// Label is what the user's list of sessions calls the device. Characters that do
	// not show are left out of it, and it is cut after 64 bytes.
	Label string

	// Data is the service's own, up to 512 bytes.
	Data []byte
}

// A RecordWrite is what becomes of the record after a decision.
type RecordWrite uint8

// What to write.
const (
	WriteNothing RecordWrite = abi.WriteNothing
	WriteMust    RecordWrite = abi.WriteMust // the verdict counts once it is written; else decide anew
	WriteMay     RecordWrite = abi.WriteMay  // if it fails, never mind
)

// A SessionVerdict is what the kernel says about a session, and what is to be written
// in place of the record that it was given, by compare-and-set.
type SessionVerdict struct {
	Refusal error          // nil if it is good; perhaps a [*SessionError]
	Changes SessionChanges // what is otherwise than when the session began

	Write  RecordWrite
	Record []byte        // the next record if there is something to write; empty to delete it
	Keep   time.Duration // for how long a store has to keep it

	Session *Session  // nil if refused, but for [ErrStepUpRequired]: whose it is
	Ended   []Session // by [Sessions.Revoke]
}

func sessionVerdict(v abi.SessionVerdict, status int32) (SessionVerdict, error) {
	if err := failure(status); err != nil {
		return SessionVerdict{}, err
	}
	session, err := sessionOf(v.Session)
	if err != nil {
		return SessionVerdict{}, err
	}
	if session != nil {
		session.Changes = SessionChanges(v.Changes)
	}
	return SessionVerdict{
		Refusal: refusal(v.Status, SessionReason(v.Reason)),
		Changes: SessionChanges(v.Changes),
		Write:   RecordWrite(v.Write), Record: v.Record, Keep: milliseconds(v.KeepMS), Session: session,
	}, nil
}

func (v *SessionVerdict) decision() decision {
	return decision{v.Refusal, uint8(v.Write), v.Record, v.Keep}
}

// Keys returns where the record of a user may be, the place of new ones first. There
// are others while older keys for [PurposeDevice] are good.
func (s *Sessions) Keys(subject string) ([]string, error) {
	return decodedList[string](s.answer(func(s abi.Sessions) ([]byte, int32) { return s.Keys(subject) }))
}

// Key returns where the record of a session is. What is no id is [ErrInvalidSession].
func (s *Sessions) Key(id string) (string, error) {
	text, err := s.answer(func(s abi.Sessions) ([]byte, int32) { return s.Key(id) })
	return abi.Text(text), err
}

// Create begins a session and returns its id, which is for the cookie and nothing else.
// Record is the one at the first of [Sessions.Keys]. Without a subject it is a session
// of nobody, before log-in, which has a record of its own: record is then empty, and
// [Sessions.Key] says where it goes. StoreSince is how far back the store remembers.
func (s *Sessions) Create(record []byte, n NewSession, now, storeSince time.Time) (id string, v SessionVerdict, err error) {
	sessions, err := s.borrow()
	if err != nil {
		return "", v, err
	}
	defer s.handle.giveBack()
	id, verdict, status := sessions.Create(abi.Text(record), n.kernel(), momentOf(now, storeSince))
	v, err = sessionVerdict(verdict, status)
	return id, v, err
}

func (n *NewSession) kernel() abi.NewSession {
	return abi.NewSession{Subject: n.Subject, Client: n.Client.kernel(), Label: n.Label, Data: abi.Text(n.Data)}
}

// Check decides whether the session with this id is good.
func (s *Sessions) Check(record []byte, id string, client SessionClient, now, storeSince time.Time) (SessionVerdict, error) {
	sessions, err := s.borrow()
	if err != nil {
		return SessionVerdict{}, err
	}
	defer s.handle.giveBack()
	return sessionVerdict(sessions.Check(abi.Text(record), id, client.kernel(), momentOf(now, storeSince)))
}

// Rotate gives the session another id, the client that it is used by now and, unless
// they are empty, other data. The old id is dead.
func (s *Sessions) Rotate(record []byte, id string, client SessionClient, data []byte, now, storeSince time.Time) (next string, v SessionVerdict, err error) {
	sessions, err := s.borrow()
	if err != nil {
		return "", v, err
	}
	defer s.handle.giveBack()
	next, verdict, status := sessions.Rotate(abi.Text(record), id, client.kernel(), abi.Text(data), momentOf(now, storeSince))
	v, err = sessionVerdict(verdict, status)
	return next, v, err
}

// BeginFamily begins a sign-in by tokens. It returns the state that the first refresh
// token is minted of.
func (s *Sessions) BeginFamily(record []byte, n NewSession, now, storeSince time.Time) (state []byte, v SessionVerdict, err error) {
	sessions, err := s.borrow()
	if err != nil {
		return nil, v, err
	}
	defer s.handle.giveBack()
	state, verdict, status := sessions.BeginFamily(abi.Text(record), n.kernel(), momentOf(now, storeSince))
	v, err = sessionVerdict(verdict, status)
	return state, v, err
}

// A FamilyUse is the use of a refresh token that a [Verifier] has verified.
type FamilyUse struct {
	Subject    string    // [Claims.Subject]
	Family     string    // [Claims.Family]
	Generation int64     // [Claims.Generation]
	IssuedAt   time.Time // [Claims.IssuedAt]
	Client     SessionClient
}

// Refresh decides about the use of a refresh token, and returns the state that its
// successor is minted of.
func (s *Sessions) Refresh(record []byte, u FamilyUse, now, storeSince time.Time) (state []byte, v SessionVerdict, err error) {
	sessions, err := s.borrow()
	if err != nil {
		return nil, v, err
	}
	defer s.handle.giveBack()
	state, verdict, status := sessions.Refresh(abi.Text(record), abi.FamilyUse{
		Subject: u.Subject, Family: u.Family, Generation: u.Generation, IssuedAt: optionalSeconds(u.IssuedAt),
		Client: u.Client.kernel(),
	}, momentOf(now, storeSince))
	v, err = sessionVerdict(verdict, status)
	return state, v, err
}

// List returns the sign-ins of a record, the oldest first. Current is the id of the
// session, or the handle of the sign-in, that asks; empty if none does.
func (s *Sessions) List(record []byte, subject, current string, now, storeSince time.Time) ([]Session, error) {
	return sessionsOf(s.answer(func(s abi.Sessions) ([]byte, int32) {
		return s.List(abi.Text(record), subject, current, momentOf(now, storeSince))
	}))
}

// A SessionScope is which sign-ins of a user [Sessions.Revoke] ends.
type SessionScope uint32

// The scopes.
const (
	OneSession    SessionScope = abi.SessionsOne    // the one that is named
	OtherSessions SessionScope = abi.SessionsOthers // all but the one that is named
	AllSessions   SessionScope = abi.SessionsAll
)

// Revoke ends sign-ins of a record. Handle is the handle of one, or its id.
func (s *Sessions) Revoke(record []byte, subject string, scope SessionScope, handle string, now, storeSince time.Time) (SessionVerdict, error) {
	sessions, err := s.borrow()
	if err != nil {
		return SessionVerdict{}, err
	}
	defer s.handle.giveBack()
	verdict, status := sessions.Revoke(abi.Text(record), subject, uint32(scope), handle, momentOf(now, storeSince))
	ended := verdict.Session
	verdict.Session = nil
	v, err := sessionVerdict(verdict, status)
	if err == nil && len(ended) > 0 {
		v.Ended, err = sessionsOf(ended, nil)
	}
	return v, err
}

// CSRFToken returns a token that shows that a request comes from the pages of the
// session with this id. It is good as long as the id.
func (s *Sessions) CSRFToken(id string) (string, error) {
	text, err := s.answer(func(s abi.Sessions) ([]byte, int32) { return s.CSRFToken(id) })
	return abi.Text(text), err
}

// CSRFHeader is the header field that scripts put the CSRF token in.
const CSRFHeader = "X-CSRF-Token"

// CheckRequest returns nil if a request may act for the session with this id:
// [ErrCrossSite] if another site has sent it, [ErrCSRFFailed] if it needs a CSRF token
// and has none that is good. Without an id, only the site is looked at. What reads only
// may come from anywhere, but not the handshake of a WebSocket.
func (s *Sessions) CheckRequest(r *http.Request, id, csrfToken string) error {
	sessions, err := s.borrow()
	if err != nil {
		return err
	}
	defer s.handle.giveBack()
	request := abi.SessionRequest{
		ID: id, Method: r.Method, FetchSite: oneLine(r.Header, "Sec-Fetch-Site"),
		Origin: oneLine(r.Header, "Origin"), Host: r.Host, CSRFToken: csrfToken,
	}
	if isWebSocket(r) {
		request.Method, request.ID = http.MethodConnect, "" // it acts, and cannot have a token
	}
	return failure(sessions.CheckRequest(request))
}

// oneLine is a header field as one text: the lines of one that has to be single make a
// value that nothing equals.
func oneLine(h http.Header, name string) string { return strings.Join(h.Values(name), ", ") }

// isWebSocket reports whether a request is a handshake, as RFC 6455 or RFC 8441 has it.
func isWebSocket(r *http.Request) bool {
	if protocol := r.Header[":protocol"]; len(protocol) == 1 && protocol[0] == "websocket" {
		return true
	}
	if r.Method != http.MethodGet {
		return false // whatever else it says, it is answered as what its method says
	}
	for _, line := range r.Header.Values("Upgrade") {
		for one := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(one), "websocket") {
				return true
			}
		}
	}
	return false
}

// ReadCookie returns the id of the session that a request belongs to, "" if it has no
// such cookie. Two of them, and what is no id, are [ErrInvalidSession].
func (s *Sessions) ReadCookie(h http.Header) (string, error) {
	lines := h.Values("Cookie")
	if len(lines) == 0 {
		return "", nil
	}
	header := strings.Join(lines, "; ")
	text, err := s.answer(func(s abi.Sessions) ([]byte, int32) { return s.ReadCookie(header) })
	return abi.Text(text), err
}

// SetCookies has the client keep the id of a session in a cookie, and a CSRF token in
// another one that scripts can read, for them to send as [CSRFHeader]. No cache keeps
// the response.
func (s *Sessions) SetCookies(h http.Header, id string) error {
	token, err := s.CSRFToken(id)
	if err != nil {
		return err
	}
	return s.cookies(h, id, token)
}

// ClearCookies has the client forget both.
func (s *Sessions) ClearCookies(h http.Header) error { return s.cookies(h, "", "") }

func (s *Sessions) cookies(h http.Header, id, token string) error {
	session, err := s.Cookie(id)
	if err != nil {
		return err
	}
	csrf, err := s.CSRFCookie(token)
	if err != nil {
		return err
	}
	setCookie(h, session)
	setCookie(h, csrf)
	h.Set("Cache-Control", "no-store") // nobody else is to get them out of a cache
	return nil
}

// setCookie puts a Set-Cookie in the place of one of the same name: of a cookie that was
// to be cleared before somebody logged in, say. A response has one of each name (RFC
// 6265, section 4.1.1).
func setCookie(h http.Header, cookie string) {
	name, _, _ := strings.Cut(cookie, "=")
	h["Set-Cookie"] = append(slices.DeleteFunc(h["Set-Cookie"], func(line string) bool {
		return strings.HasPrefix(line, name+"=")
	}), cookie)
}

// Cookie returns the value of the Set-Cookie header for the id of a session; for "", of
// one that clears it.
func (s *Sessions) Cookie(id string) (string, error) {
	text, err := s.answer(func(s abi.Sessions) ([]byte, int32) { return s.Cookie(id) })
	return abi.Text(text), err
}

// CSRFCookie returns the value of the Set-Cookie header for a CSRF token, which scripts
// can read; for "", of one that clears it.
func (s *Sessions) CSRFCookie(token string) (string, error) {
	text, err := s.answer(func(s abi.Sessions) ([]byte, int32) { return s.CSRFCookie(token) })
	return abi.Text(text), err
}

func (s *Sessions) borrow() (abi.Sessions, error) {
	if s == nil {
		return abi.Sessions{}, ErrClosed
	}
	return s.handle.borrow()
}

// answer is for a call that answers with a text.
func (s *Sessions) answer(call func(abi.Sessions) ([]byte, int32)) ([]byte, error) {
	sessions, err := s.borrow()
	if err != nil {
		return nil, err
	}
	defer s.handle.giveBack()
	text, status := call(sessions)
	return text, failure(status)
}

// Close releases the keys. It returns nil, always.
func (s *Sessions) Close() error {
	if s != nil {
		s.handle.close()
	}
	return nil
}
