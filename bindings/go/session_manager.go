package donjon

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// A SessionManager keeps the sign-ins of users in a [RecordStore]: sessions by a cookie
// and refresh families alike. All that a user has is one record there, which is changed
// by compare-and-set: of any number of log-ins at once, no more survive than he may
// have, and they are the youngest; what was ended never comes back.
//
//	in, err := sessions.LogIn(ctx, donjon.NewSession{Subject: user.ID, Client: client}, oldID)
//	if err != nil {
//		return err
//	}
//	return sessions.Sessions().SetCookies(w.Header(), in.ID)
//
// What cannot be decided because the store does not answer is [ErrStoreUnavailable]:
// nobody is let in. Its methods are safe for concurrent use.
type SessionManager struct {
	sessions    *Sessions
	book        *recordBook
	revocations *Revocations
}

// SessionManagerOptions say what [NewSessionManager] makes.
type SessionManagerOptions struct {
	// Sessions is what sessions are like. Config says so in its place, by the kernel's
	// own document, which is the same in every language.
	Sessions SessionsOptions
	Config   []byte

	// Revocations are about the access tokens of those who sign in by tokens.
	Revocations RevocationRulesOptions

	// MaxSilence is how long nobody may have asked the store before what it has is taken
	// to be a copy from before, as after a restore: then all have to log in again. Let it
	// be no longer than the age of a backup that you would restore, and longer than the
	// service is ever without a request; in whole milliseconds; if zero, a day.
	MaxSilence time.Duration

	// Timeout is how long the store has for an operation; if zero, two seconds. If it is
	// negative, as long as the context lets it.
	Timeout time.Duration

	// Clock tells the time; if nil, [time.Now].
	Clock func() time.Time

	// Logger is told when the store begins anew, and what it did not write; if nil,
	// [slog.Default].
	Logger *slog.Logger
}

// NewSessionManager makes a manager that keeps sessions in store. Keys needs what
// [NewSessions] needs.
func NewSessionManager(keys *Keyring, store RecordStore, opts SessionManagerOptions) (*SessionManager, error) {
	book, err := newRecordBook(store, storeOptions{opts.MaxSilence, opts.Timeout, opts.Clock, opts.Logger})
	if err != nil {
		return nil, err
	}
	var sessions *Sessions
	if opts.Config != nil {
		sessions, err = ParseSessions(keys, opts.Config)
	} else {
		sessions, err = NewSessions(keys, opts.Sessions)
	}
	if err != nil {
		return nil, err
	}
	rules, err := NewRevocationRules(keys, opts.Revocations)
	if err != nil {
		return nil, errors.Join(err, sessions.Close())
	}
	return &SessionManager{sessions, book, &Revocations{rules: rules, book: book}}, nil
}

// Sessions are what the manager decides by: it has what is about cookies and requests.
func (m *SessionManager) Sessions() *Sessions {
	if m == nil {
		return nil
	}
	return m.sessions
}

// Revocations are those of the same store: their Check refuses the access tokens that
// were issued to sign-ins that have ended.
func (m *SessionManager) Revocations() *Revocations {
	if m == nil {
		return nil
	}
	return m.revocations
}

// KeepAlive asks the store for nothing, so that it has been asked: for services that may
// be without a request for as long as MaxSilence.
func (m *SessionManager) KeepAlive(ctx context.Context) error {
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	_, err = m.book.read(ctx, nil, fromStore)
	return err
}

// Close releases the keys. The store stays the caller's. It returns nil, always.
func (m *SessionManager) Close() error {
	if m == nil {
		return nil
	}
	return errors.Join(m.sessions.Close(), m.revocations.Close())
}

// LoggedIn is a session that has just begun, or has another id than before. It is not
// shown or marshalled: name what is for whom.
type LoggedIn struct {
	hidden

	ID      string // for the cookie, and nothing else
	Session Session
}

// begun bounds an operation, unless there is nothing to operate on.
func (m *SessionManager) begun(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if m == nil || m.book == nil {
		return nil, nil, ErrClosed
	}
	ctx, cancel := m.book.bounded(ctx)
	return ctx, cancel, nil
}

// LogIn begins a session of a user who has just shown that it is he. Previous is the id
// that his browser had before, if any, which is ended: nobody who knows it gets in by
// it. If he has as many sign-ins as he may, the oldest is ended, or it is
// [ErrSessionLimit].
func (m *SessionManager) LogIn(ctx context.Context, n NewSession, previous string) (*LoggedIn, error) {
	if n.Subject == "" {
		return nil, ErrInvalidArgument
	}
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	if previous != "" {
		if err := m.logOut(ctx, previous); err != nil {
			return nil, err
		}
	}
	var id string
	session, err := m.signIn(ctx, n, nil, func(read reading) (v SessionVerdict, err error) {
		id, v, err = m.sessions.Create(read.values[0], n, read.now, read.since)
		return v, err
	})
	if err != nil {
		return nil, err
	}
	return &LoggedIn{ID: id, Session: *session}, nil
}

// BeginAnonymous begins a session of nobody, for what a service wants to know before
// log-in. It is in no list and counts for no limit; the id is to be passed to LogIn.
// Whoever asks gets one: limit how often.
func (m *SessionManager) BeginAnonymous(ctx context.Context, n NewSession) (*LoggedIn, error) {
	if n.Subject != "" {
		return nil, ErrInvalidArgument
	}
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	for range rounds {
		read, err := m.book.read(ctx, nil, fromStore)
		if err != nil {
			return nil, err
		}
		id, verdict, err := m.sessions.Create(nil, n, read.now, read.since)
		if err != nil {
			return nil, err
		}
		key, err := m.sessions.Key(id)
		if err != nil {
			return nil, err
		}
		done, err := m.book.write(ctx, key, nil, verdict.decision())
		if err != nil {
			return nil, err
		}
		if done {
			return &LoggedIn{ID: id, Session: *verdict.Session}, nil
		}
	}
	return nil, errContended
}

// Check decides whether the session with this id is good, and returns it. A refusal is
// [ErrInvalidSession], [ErrExpired] or [ErrStepUpRequired], and a [*SessionError] that
// has the reason. With the last of them comes the session, for the route where its user
// authenticates again; it is good nowhere else.
func (m *SessionManager) Check(ctx context.Context, id string, client SessionClient) (*Session, error) {
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	key, err := m.sessions.Key(id)
	if errors.Is(err, ErrInvalidSession) {
		return nil, &SessionError{CodeInvalidSession, SessionReasonMalformed}
	}
	if err != nil {
		return nil, err
	}
	var remembered *Session // which is good by what is remembered, and which it is time to touch
	for round := range rounds {
		if err := pause(ctx, round); err != nil {
			return nil, m.book.failed(ctx, err)
		}
		read, err := m.book.read(ctx, []string{key}, round > 0)
		if err != nil && remembered != nil && m.book.failedLately() {
			return remembered, nil
		}
		if err != nil {
			return nil, err
		}
		verdict, err := m.sessions.Check(read.values[0], id, client, read.now, read.since)
		if err != nil {
			return nil, err
		}
		if read.remembered && (verdict.Refusal != nil || verdict.Write != WriteNothing) {
			if verdict.Refusal == nil {
				if m.book.failedLately() {
					return verdict.Session, nil
				}
				remembered = verdict.Session
			}
			continue // what is remembered may be from before the session began
		}
		if done, err := m.book.write(ctx, key, read.values[0], verdict.decision()); done || err != nil {
			return verdict.Session, err
		}
	}
	return nil, errContended
}

// Rotate gives a session another id, and ends the old one: after the user has
// authenticated again, as [ErrStepUpRequired] demands, and whenever he may more than
// before. Data replaces what the session has, unless it is empty.
func (m *SessionManager) Rotate(ctx context.Context, id string, client SessionClient, data []byte) (*LoggedIn, error) {
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	key, err := m.sessions.Key(id)
	if err != nil {
		return nil, err
	}
	var rotated LoggedIn
	err = m.book.changeInTurn(ctx, []string{key}, func(read reading) (decision, error) {
		next, verdict, err := m.sessions.Rotate(read.values[0], id, client, data, read.now, read.since)
		if verdict.Session != nil {
			rotated = LoggedIn{ID: next, Session: *verdict.Session}
		}
		return verdict.decision(), err
	})
	if err != nil {
		return nil, err
	}
	return &rotated, nil
}

// LogOut ends the session with this id. That there is none is no error.
func (m *SessionManager) LogOut(ctx context.Context, id string) error {
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	return m.logOut(ctx, id)
}

func (m *SessionManager) logOut(ctx context.Context, id string) error {
	key, err := m.sessions.Key(id)
	if err == nil {
		err = m.end(ctx, key, "", OneSession, id)
	}
	if errors.Is(err, ErrInvalidSession) {
		return nil
	}
	return err
}
