package donjon

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A Session is a sign-in of a user: by a cookie, or by tokens, which is a refresh
// family. What it is called here is for everybody to see; its id is not among it.
type Session struct {
	Handle  string // names the sign-in, to its user as well; of tokens, their family
	Subject string // empty if nobody has logged in
	Kind    SessionKind
	Label   string // what the service calls the device, such as "Ann's phone"
	Data    []byte // the service's own

	CreatedAt time.Time
	SeenAt    time.Time // to within the touch interval
	ExpiresAt time.Time // unless it is used again; at the latest, then, if it is

	Network string // that it is from, such as "192.0.2.0/24"; empty if unknown
	Current bool   // of a list: the session that was named as the current one

	// Changes are what is otherwise than when the session began, where that is to be
	// reported.
	Changes SessionChanges

	// Evicted are the sign-ins that this one has taken the place of.
	Evicted []EvictedSession
}

// An EvictedSession is a sign-in that had to make room for another one.
type EvictedSession struct {
	Handle string      `json:"handle"`
	Kind   SessionKind `json:"kind"`
}

// A SessionKind is how the user shows that it is he.
type SessionKind string

// The kinds.
const (
	CookieSession SessionKind = "cookie"
	TokenSession  SessionKind = "tokens"
)

// SessionChanges are what is otherwise than when a session began, joined by |.
type SessionChanges uint8

// The changes.
const (
	AddressChanged   SessionChanges = abi.SessionAddressChanged   // it comes from another network
	UserAgentChanged SessionChanges = abi.SessionUserAgentChanged // it comes from another browser
)

// sessionJSON is a session as the kernel writes it, and as a client is shown it.
type sessionJSON struct {
	Handle    string           `json:"handle"`
	Subject   string           `json:"subject,omitempty"`
	Kind      SessionKind      `json:"kind"`
	Label     string           `json:"label"`
	Data      string           `json:"data,omitempty"`
	CreatedMS int64            `json:"created_ms"`
	SeenMS    int64            `json:"seen_ms"`
	ExpiresMS int64            `json:"expires_ms"`
	Network   *string          `json:"network"`
	Current   bool             `json:"current"`
	Evicted   []EvictedSession `json:"evicted,omitempty"`
}

func (j *sessionJSON) session() (Session, error) {
	data, err := base64.RawURLEncoding.DecodeString(j.Data)
	if err != nil {
		return Session{}, err
	}
	s := Session{
		Handle: j.Handle, Subject: j.Subject, Kind: j.Kind, Label: j.Label, Data: data,
		CreatedAt: time.UnixMilli(j.CreatedMS), SeenAt: time.UnixMilli(j.SeenMS), ExpiresAt: time.UnixMilli(j.ExpiresMS),
		Current: j.Current, Evicted: j.Evicted,
	}
	if j.Network != nil {
		s.Network = *j.Network
	}
	return s, nil
}

// MarshalJSON implements [json.Marshaler]: what the user may see of a session of his,
// by the names that it has in every language. The service's data is not among it.
func (s Session) MarshalJSON() ([]byte, error) {
	j := sessionJSON{
		Handle: s.Handle, Kind: s.Kind, Label: s.Label,
		CreatedMS: s.CreatedAt.UnixMilli(), SeenMS: s.SeenAt.UnixMilli(), ExpiresMS: s.ExpiresAt.UnixMilli(),
		Current: s.Current,
	}
	if s.Network != "" {
		j.Network = &s.Network
	}
	return json.Marshal(j)
}

// LogValue implements [slog.LogValuer]: a log names the session and its subject.
func (s Session) LogValue() slog.Value {
	return slog.GroupValue(slog.String("subject", s.Subject), slog.String("handle", s.Handle))
}

// sessionOf reads a session that the kernel has written; nil if there is none.
func sessionOf(text []byte) (*Session, error) {
	if len(text) == 0 {
		return nil, nil
	}
	read, err := decoded[sessionJSON](text, nil)
	if err != nil {
		return nil, err
	}
	session, err := read.session()
	if err != nil {
		return nil, err
	}
	return &session, nil
}

func sessionsOf(text []byte, failed error) ([]Session, error) {
	list, err := decodedList[sessionJSON](text, failed)
	if err != nil {
		return nil, err
	}
	sessions := make([]Session, len(list))
	for i := range list {
		if sessions[i], err = list[i].session(); err != nil {
			return nil, err
		}
	}
	return sessions, nil
}
