package shim

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// sessionRules are what is asked about sessions.
type sessionRules struct {
	keyring, config []byte
}

func readSessionRules(r *request) sessionRules {
	return sessionRules{r.raw("keyring"), r.raw("config")}
}

func (f sessionRules) with(use func(*donjon.Sessions) error) error {
	return withKeyring(f.keyring, func(keyring *donjon.Keyring) error {
		sessions, err := donjon.ParseSessions(keyring, f.config)
		if err != nil {
			return err
		}
		defer sessions.Close()
		return use(sessions)
	})
}

// storedRecord is the record of a user, and when it is looked at.
type storedRecord struct {
	rules      sessionRules
	record     []byte
	now, since time.Time
	entropy    []byte
}

func readStoredRecord(r *request) storedRecord {
	return storedRecord{
		readSessionRules(r), r.hex("record_hex"), moment(r.int("now_ms")), moment(r.int("store_since_ms")),
		r.optionalHex("entropy_hex"),
	}
}

// with decides, and draws what the request says.
func (f storedRecord) with(decide func(*donjon.Sessions) error) error {
	return f.rules.with(func(sessions *donjon.Sessions) error {
		return drawing(f.entropy, func() error { return decide(sessions) })
	})
}

func readSessionClient(r *request) donjon.SessionClient {
	return donjon.SessionClient{Address: r.text("address"), UserAgent: r.text("user_agent")}
}

func readNewSession(r *request) donjon.NewSession {
	return donjon.NewSession{
		Subject: r.text("subject"), Client: readSessionClient(r), Label: r.text("label"), Data: r.hex("data_hex"),
	}
}

// sessionVerdict answers all of a verdict but the session.
func (a *answer) sessionVerdict(v donjon.SessionVerdict) {
	status, reason := "ok", donjon.SessionReasonNone
	var refusal *donjon.Error
	if errors.As(v.Refusal, &refusal) {
		status = refusal.Code.String()
	}
	var why *donjon.SessionError
	if errors.As(v.Refusal, &why) {
		reason = why.Reason
	}
	a.string("status", status)
	a.int("reason", int64(reason))
	a.int("write", int64(v.Write))
	a.int("changes", int64(v.Changes))
	a.int("keep_ms", v.Keep.Milliseconds())
	a.hex("record_hex", v.Record)
}

// verdictOf answers a verdict with its session.
func (a *answer) verdictOf(v donjon.SessionVerdict, more ...string) {
	a.sessionVerdict(v)
	if v.Session == nil {
		a.raw("session", "null")
	} else {
		a.raw("session", told(v.Session, more...))
	}
}

// told is a session as the kernel tells it.
func told(s *donjon.Session, more ...string) string {
	var one answer
	one.string("handle", s.Handle)
	one.string("subject", s.Subject)
	one.string("kind", string(s.Kind))
	one.string("label", s.Label)
	one.string("data", base64.RawURLEncoding.EncodeToString(s.Data))
	one.int("created_ms", s.CreatedAt.UnixMilli())
	one.int("seen_ms", s.SeenAt.UnixMilli())
	one.int("expires_ms", s.ExpiresAt.UnixMilli())
	one.stringOrNull("network", s.Network)
	for _, member := range more {
		switch member {
		case "current":
			one.bool(member, s.Current)
		case "evicted":
			one.raw(member, evicted(s))
		}
	}
	return string(one.end())
}

func evicted(s *donjon.Session) string {
	list := make([]string, len(s.Evicted))
	for i, went := range s.Evicted {
		var one answer
		one.string("handle", went.Handle)
		one.string("kind", string(went.Kind))
		list[i] = string(one.end())
	}
	return "[" + strings.Join(list, ",") + "]"
}

func toldAll(sessions []donjon.Session, more ...string) string {
	list := make([]string, len(sessions))
	for i := range sessions {
		list[i] = told(&sessions[i], more...)
	}
	return "[" + strings.Join(list, ",") + "]"
}

func sessionDiagnose(r *request) func(*answer) error {
	keys, config := r.raw("keyring"), r.text("config")
	return func(a *answer) error {
		return withKeyring(keys, func(keyring *donjon.Keyring) error {
			sessions, err := donjon.ParseSessions(keyring, []byte(config))
			var diagnosis *donjon.ConfigError
			switch {
			case err == nil:
				defer sessions.Close()
				a.string("status", "ok")
				a.raw("path", "null")
				a.raw("message", "null")
			case errors.As(err, &diagnosis):
				a.string("status", diagnosis.Code.String())
				a.string("path", diagnosis.Path)
				a.string("message", diagnosis.Message)
			default:
				return err
			}
			return nil
		})
	}
}

func sessionKeys(r *request) func(*answer) error {
	rules, subject := readSessionRules(r), r.text("subject")
	return func(a *answer) error {
		return rules.with(func(sessions *donjon.Sessions) error {
			keys, err := sessions.Keys(subject)
			a.strings("keys", keys)
			return err
		})
	}
}

func sessionKey(r *request) func(*answer) error {
	rules, id := readSessionRules(r), r.text("session_id")
	return func(a *answer) error {
		return rules.with(func(sessions *donjon.Sessions) error {
			key, err := sessions.Key(id)
			a.string("key", key)
			return err
		})
	}
}

func sessionCreate(r *request) func(*answer) error {
	stored, begun := readStoredRecord(r), readNewSession(r)
	return func(a *answer) error {
		return stored.with(func(sessions *donjon.Sessions) error {
			id, v, err := sessions.Create(stored.record, begun, stored.now, stored.since)
			a.stringOrNull("session_id", id)
			a.verdictOf(v, "evicted")
			return err
		})
	}
}

func sessionCheck(r *request) func(*answer) error {
	stored, id, client := readStoredRecord(r), r.text("session_id"), readSessionClient(r)
	return func(a *answer) error {
		return stored.with(func(sessions *donjon.Sessions) error {
			v, err := sessions.Check(stored.record, id, client, stored.now, stored.since)
			a.verdictOf(v)
			return err
		})
	}
}

func sessionRotate(r *request) func(*answer) error {
	stored, id, client, data := readStoredRecord(r), r.text("session_id"), readSessionClient(r), r.hex("data_hex")
	return func(a *answer) error {
		return stored.with(func(sessions *donjon.Sessions) error {
			next, v, err := sessions.Rotate(stored.record, id, client, data, stored.now, stored.since)
			a.stringOrNull("session_id", next)
			a.verdictOf(v)
			return err
		})
	}
}

func sessionBeginFamily(r *request) func(*answer) error {
	stored, begun := readStoredRecord(r), readNewSession(r)
	return func(a *answer) error {
		return stored.with(func(sessions *donjon.Sessions) error {
			state, v, err := sessions.BeginFamily(stored.record, begun, stored.now, stored.since)
			a.hex("state_hex", state)
			a.verdictOf(v, "evicted")
			return err
		})
	}
}

func sessionRefresh(r *request) func(*answer) error {
	stored := readStoredRecord(r)
	use := donjon.FamilyUse{
		Subject: r.text("subject"), Family: r.text("family"), Generation: r.int("generation"),
		IssuedAt: r.timeOrNull("issued_at_s"), Client: readSessionClient(r),
	}
	return func(a *answer) error {
		return stored.with(func(sessions *donjon.Sessions) error {
			state, v, err := sessions.Refresh(stored.record, use, stored.now, stored.since)
			a.hex("state_hex", state)
			a.verdictOf(v)
			return err
		})
	}
}

func sessionList(r *request) func(*answer) error {
	stored, subject, current := readStoredRecord(r), r.text("subject"), r.text("current")
	return func(a *answer) error {
		return stored.rules.with(func(sessions *donjon.Sessions) error {
			list, err := sessions.List(stored.record, subject, current, stored.now, stored.since)
			a.raw("sessions", toldAll(list, "current"))
			return err
		})
	}
}

var sessionScopes = map[string]donjon.SessionScope{
	"one":    donjon.OneSession,
	"others": donjon.OtherSessions,
	"all":    donjon.AllSessions,
}

func sessionRevoke(r *request) func(*answer) error {
	stored, subject, handle := readStoredRecord(r), r.text("subject"), r.text("handle")
	scope, ok := sessionScopes[r.text("which")]
	if !ok {
		r.bad()
	}
	return func(a *answer) error {
		return stored.with(func(sessions *donjon.Sessions) error {
			v, err := sessions.Revoke(stored.record, subject, scope, handle, stored.now, stored.since)
			a.sessionVerdict(v)
			a.raw("revoked", toldAll(v.Ended))
			return err
		})
	}
}

func sessionCSRFToken(r *request) func(*answer) error {
	rules, id, entropy := readSessionRules(r), r.text("session_id"), r.hex("entropy_hex")
	return func(a *answer) error {
		return rules.with(func(sessions *donjon.Sessions) error {
			return drawing(entropy, func() error {
				token, err := sessions.CSRFToken(id)
				a.string("token", token)
				return err
			})
		})
	}
}

func sessionCheckRequest(r *request) func(*answer) error {
	rules, id, token := readSessionRules(r), r.text("session_id"), r.text("csrf_token")
	asked := &http.Request{Method: r.text("method"), Host: r.text("host"), Header: http.Header{}}
	for field, member := range map[string]string{"Sec-Fetch-Site": "sec_fetch_site", "Origin": "origin"} {
		asked.Header.Set(field, r.text(member))
	}
	return func(*answer) error {
		return rules.with(func(sessions *donjon.Sessions) error { return sessions.CheckRequest(asked, id, token) })
	}
}

func sessionCookie(r *request) func(*answer) error {
	rules, id := readSessionRules(r), r.text("session_id")
	return func(a *answer) error {
		return rules.with(func(sessions *donjon.Sessions) error {
			header, err := sessions.Cookie(id)
			a.string("header", header)
			return err
		})
	}
}

func sessionCSRFCookie(r *request) func(*answer) error {
	rules, token := readSessionRules(r), r.text("token")
	return func(a *answer) error {
		return rules.with(func(sessions *donjon.Sessions) error {
			header, err := sessions.CSRFCookie(token)
			a.string("header", header)
			return err
		})
	}
}

func sessionReadCookie(r *request) func(*answer) error {
	rules, header := readSessionRules(r), http.Header{"Cookie": {r.text("header")}}
	return func(a *answer) error {
		return rules.with(func(sessions *donjon.Sessions) error {
			id, err := sessions.ReadCookie(header)
			a.stringOrNull("session_id", id)
			return err
		})
	}
}
