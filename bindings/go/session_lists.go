package donjon

import (
	"context"
	"errors"
	"slices"
)

// List returns the sign-ins of a user, the oldest first. Current is the id of the
// session that asks, or the [Session.Handle] of the sign-in; empty if none does.
func (m *SessionManager) List(ctx context.Context, subject, current string) ([]Session, error) {
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	keys, err := m.sessions.Keys(subject)
	if err != nil {
		return nil, err
	}
	read, err := m.book.read(ctx, keys, fromStore)
	if err != nil {
		return nil, err
	}
	var all []Session
	for _, record := range read.values {
		listed, err := m.sessions.List(record, subject, current, read.now, read.since)
		if err != nil {
			return nil, err
		}
		all = append(all, listed...)
	}
	slices.SortStableFunc(all, func(a, b Session) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all, nil
}

// Revoke ends the sign-in of a user that has this [Session.Handle], and the access
// tokens of it. If he has no such sign-in, it is [ErrInvalidSession].
func (m *SessionManager) Revoke(ctx context.Context, subject, handle string) error {
	return m.endWherever(ctx, subject, OneSession, handle)
}

// RevokeOthers ends all sign-ins of a user but the one that has this handle or id. If he
// has no such sign-in, it is [ErrInvalidSession], and none ends.
func (m *SessionManager) RevokeOthers(ctx context.Context, subject, keep string) error {
	return m.endWherever(ctx, subject, OtherSessions, keep)
}

// LogOutEverywhere ends all sign-ins of a user, and every token that was issued to him
// before. Who logs in meanwhile is in or out, as if he had been first or last.
func (m *SessionManager) LogOutEverywhere(ctx context.Context, subject string) error {
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	keys, err := m.sessions.Keys(subject)
	if err != nil {
		return err
	}
	if err := m.revocations.revoke(ctx, RevokedSubject, subject, "", forLong); err != nil {
		return err
	}
	return m.endAll(ctx, keys, subject)
}

// endWherever ends sign-ins in the record that has the one with this handle.
func (m *SessionManager) endWherever(ctx context.Context, subject string, scope SessionScope, handle string) error {
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	keys, err := m.sessions.Keys(subject)
	if err != nil {
		return err
	}
	for i, key := range keys {
		err = m.end(ctx, key, subject, scope, handle)
		if errors.Is(err, ErrInvalidSession) {
			continue
		}
		if err == nil && scope == OtherSessions {
			err = m.endAll(ctx, slices.Delete(keys, i, i+1), subject)
		}
		return err
	}
	return err
}

func (m *SessionManager) endAll(ctx context.Context, keys []string, subject string) error {
	for _, key := range keys {
		if err := m.end(ctx, key, subject, AllSessions, ""); err != nil {
			return err
		}
	}
	return nil
}

// end ends sign-ins in a record, and the access tokens of those that have some: first,
// so that what fails half-way can be repeated.
func (m *SessionManager) end(ctx context.Context, key, subject string, scope SessionScope, handle string) error {
	return m.book.changeInTurn(ctx, []string{key}, func(read reading) (decision, error) {
		verdict, err := m.sessions.Revoke(read.values[0], subject, scope, handle, read.now, read.since)
		if err != nil {
			return decision{}, err
		}
		if verdict.Write == WriteNothing {
			// Perhaps ended before, by somebody whom no replica has acknowledged it to.
			if err := m.book.confirm(ctx, key); err != nil {
				return decision{}, err
			}
		}
		if verdict.Refusal != nil {
			return verdict.decision(), nil
		}
		for _, ended := range verdict.Ended {
			if err := m.endTokens(ctx, subject, ended.Handle, ended.Kind); err != nil {
				return decision{}, err
			}
		}
		return verdict.decision(), nil
	})
}

// endTokens ends the access tokens of a sign-in that has ended.
func (m *SessionManager) endTokens(ctx context.Context, subject, handle string, kind SessionKind) error {
	if kind != TokenSession {
		return nil
	}
	return m.revocations.revoke(ctx, RevokedFamily, subject, handle, forLong)
}
