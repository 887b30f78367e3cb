package donjon

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// A TokenPair is what a sign-in by tokens has: an access token for the services, and a
// refresh token for the next pair. It is not shown or marshalled: name what is for whom.
type TokenPair struct {
	hidden

	Access, Refresh string
	Session         Session
}

// BeginTokens begins a sign-in by tokens of a user who has just shown that it is he. It
// counts as a session does, and is listed and ended as one. The access token says what
// access does, and which family it belongs to; access repeats neither the subject nor
// when he was logged out everywhere. An issuer whose keyring has no primary secret for
// [PurposeStateBinding] makes no refresh tokens: that is [ErrConfig].
func (m *SessionManager) BeginTokens(ctx context.Context, issuer *Issuer, n NewSession, access Grant) (*TokenPair, error) {
	if n.Subject == "" {
		return nil, ErrInvalidArgument
	}
	if err := checkAccess(issuer, &access); err != nil {
		return nil, err
	}
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	sinceKeys, err := m.revocations.rules.Keys(RevocationQuery{Subject: n.Subject})
	if err != nil {
		return nil, err
	}
	var pair *TokenPair
	_, err = m.signIn(ctx, n, sinceKeys, func(read reading) (SessionVerdict, error) {
		state, verdict, err := m.sessions.BeginFamily(read.values[0], n, read.now, read.since)
		if err == nil && verdict.Refusal == nil {
			pair, err = m.mint(issuer, verdict.Session, state, read, read.values[1:1+len(sinceKeys)], access)
		}
		return verdict, err
	})
	if err != nil {
		return nil, err
	}
	return pair, nil
}

// checkAccess refuses what the manager has to say itself.
func checkAccess(issuer *Issuer, access *Grant) error {
	if issuer == nil {
		return ErrClosed
	}
	_, claimed := access.Claims["family"]
	if claimed || access.Subject != "" || !access.RevokedSince.IsZero() || !access.Now.IsZero() {
		return ErrInvalidArgument
	}
	return nil
}

// mint makes the tokens of a sign-in, before it is known whether its record can be
// written: what cannot be minted changes nothing. They are stamped with the time before
// the record was read, and outlive what was in sinces then: whoever is logged out
// everywhere after that has revoked them.
func (m *SessionManager) mint(issuer *Issuer, session *Session, state []byte, read reading, sinces [][]byte, access Grant) (*TokenPair, error) {
	since, err := m.revocations.rules.IssueSince(session.Subject, sinces, read.since)
	if err != nil {
		return nil, err
	}
	access.Subject, access.RevokedSince, access.Now = session.Subject, since, read.now
	access.Claims = maps.Clone(access.Claims)
	if access.Claims == nil {
		access.Claims = make(map[string]any)
	}
	access.Claims["family"] = session.Handle
	pair := &TokenPair{Session: *session}
	if pair.Access, err = issuer.Access(access); err != nil {
		return nil, err
	}
	pair.Refresh, err = issuer.refresh(state, Grant{Subject: session.Subject, RevokedSince: since, Now: read.now})
	if err != nil {
		return nil, err
	}
	return pair, nil
}

// errElsewhere is that a user has sign-ins under older keys of the keyring.
var errElsewhere = errors.New("donjon: sign-ins under an older key")

// signIn puts a new sign-in in the record of a user, by create, which is given the
// values of further keys besides, and ends what it takes the place of. His sign-ins
// under older keys of the keyring end first: the limit is on all of them together.
func (m *SessionManager) signIn(ctx context.Context, n NewSession, further []string, create func(reading) (SessionVerdict, error)) (*Session, error) {
	keys, err := m.sessions.Keys(n.Subject)
	if err != nil {
		return nil, err
	}
	var session *Session
	doomed := make(map[string]bool) // the families whose access tokens are dead already
	read := slices.Concat(keys[:1], further, keys[1:])
	decide := func(read reading) (decision, error) {
		elsewhere := read.values[1+len(further):]
		if slices.ContainsFunc(elsewhere, func(record []byte) bool { return len(record) > 0 }) {
			return decision{}, errElsewhere
		}
		verdict, err := create(read)
		session = verdict.Session
		if err != nil || session == nil {
			return verdict.decision(), err
		}
		for _, evicted := range session.Evicted {
			if evicted.Kind != TokenSession || doomed[evicted.Handle] {
				continue
			}
			// Before it is taken out of the record, as in refreshAt.
			if err := m.endTokens(ctx, n.Subject, evicted.Handle, evicted.Kind); err != nil {
				return decision{}, err
			}
			doomed[evicted.Handle] = true
		}
		return verdict.decision(), nil
	}
	err = m.book.changeInTurn(ctx, read, decide)
	if err == errElsewhere {
		if err := m.endAll(ctx, keys[1:], n.Subject); err != nil {
			return nil, err
		}
		err = m.book.changeInTurn(ctx, read, decide)
	}
	if err == errElsewhere {
		err = errContended // by a process that has an older keyring
	}
	if err != nil {
		return nil, err
	}
	for _, evicted := range session.Evicted {
		delete(doomed, evicted.Handle)
	}
	for family := range doomed {
		// Others made room meanwhile, and it would be left without access tokens.
		if err := m.end(ctx, keys[0], n.Subject, OneSession, family); err != nil && !errors.Is(err, ErrInvalidSession) {
			return nil, err
		}
	}
	return session, nil
}

// RefreshTokens takes a refresh token, whose claims a [Verifier] has verified, and
// returns a new pair. One that was used before is [ErrReuseDetected], and ends the
// sign-in, with its access tokens; but within the grace after its use it gets the same
// refresh token again. One of a sign-in that has ended is [ErrRevoked].
func (m *SessionManager) RefreshTokens(ctx context.Context, issuer *Issuer, used *Claims, client SessionClient, access Grant) (*TokenPair, error) {
	if used == nil {
		return nil, ErrInvalidArgument
	}
	generation, is := used.Generation()
	if !is {
		return nil, ErrWrongTokenType
	}
	if err := checkAccess(issuer, &access); err != nil {
		return nil, err
	}
	ctx, cancel, err := m.begun(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	use := FamilyUse{
		Subject: used.Subject(), Family: used.Family(), Generation: generation, IssuedAt: used.IssuedAt(), Client: client,
	}
	keys, err := m.sessions.Keys(use.Subject)
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		pair, err := m.refreshAt(ctx, issuer, key, used, use, access)
		if i+1 < len(keys) && isElsewhere(err) {
			continue
		}
		return pair, err
	}
	return nil, ErrInternal // a user has a key
}

// isElsewhere reports whether a refusal is that the record has no such sign-in.
func isElsewhere(err error) bool {
	var refused *SessionError
	return errors.As(err, &refused) && refused.Reason != SessionReasonIdle && refused.Reason != SessionReasonAbsolute
}

// refreshAt refreshes a family in the record under key.
func (m *SessionManager) refreshAt(ctx context.Context, issuer *Issuer, key string, used *Claims, use FamilyUse, access Grant) (*TokenPair, error) {
	query, err := revocationQueryOf(used)
	if err != nil {
		return nil, err
	}
	revocationKeys, err := m.revocations.rules.Keys(query)
	if err != nil {
		return nil, err
	}
	sinceKeys, err := m.revocations.rules.Keys(RevocationQuery{Subject: use.Subject})
	if err != nil {
		return nil, err
	}
	var pair *TokenPair
	err = m.book.changeInTurn(ctx, slices.Concat([]string{key}, revocationKeys, sinceKeys), func(read reading) (decision, error) {
		revocations, sinces := read.values[1:1+len(revocationKeys)], read.values[1+len(revocationKeys):]
		// What the token itself has outlived, its successor may.
		if err := m.revocations.rules.Check(query, revocations, read.since); err != nil {
			return decision{}, err
		}
		state, verdict, err := m.sessions.Refresh(read.values[0], use, read.now, read.since)
		if err == nil && verdict.Refusal == nil {
			pair, err = m.mint(issuer, verdict.Session, state, read, sinces, access)
		}
		if err == nil && errors.Is(verdict.Refusal, ErrReuseDetected) {
			// Before the family is taken out of the record: afterwards, nobody would know
			// that its access tokens are still to be revoked, should the store fail now.
			err = m.endTokens(ctx, use.Subject, use.Family, TokenSession)
		}
		return verdict.decision(), err
	})
	if err != nil {
		return nil, err
	}
	return pair, nil
}

// LogOutTokens ends the sign-in that a token belongs to, whose claims a [Verifier] has
// verified: a refresh token, or an access token of it. That it has ended is no error.
func (m *SessionManager) LogOutTokens(ctx context.Context, claims *Claims) error {
	if claims == nil {
		return ErrInvalidArgument
	}
	family := claims.Family()
	if family == "" {
		return ErrMissingClaim
	}
	err := m.Revoke(ctx, claims.Subject(), family)
	if errors.Is(err, ErrInvalidSession) {
		return nil
	}
	return err
}
