package donjon

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"regexp"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// Revocations are what a [RecordStore] has of tokens that are good by their signature
// and time, but are revoked: by their id, their family, their subject or their key.
// What was revoked is refused from the moment that the call returns, by every process
// that asks the store. Check fits [RequireOptions.Check].
//
// A store that has forgotten what was revoked, flushed or restored, is noticed, and all
// tokens from before are refused. Its methods are safe for concurrent use.
type Revocations struct {
	rules  *RevocationRules
	book   *recordBook
	accept bool
}

// RevocationsOptions say what [NewRevocations] makes.
type RevocationsOptions struct {
	Rules RevocationRulesOptions

	// AcceptOnFailure lets Check accept every token while the store does not answer, each
	// time logged. Otherwise it is [ErrStoreUnavailable].
	AcceptOnFailure bool

	// MaxSilence, Timeout, Clock and Logger are as in [SessionManagerOptions].
	MaxSilence, Timeout time.Duration
	Clock               func() time.Time
	Logger              *slog.Logger
}

// NewRevocations makes revocations in store, which may be that of a [SessionManager].
// Keys needs what [NewRevocationRules] needs.
func NewRevocations(keys *Keyring, store RecordStore, opts RevocationsOptions) (*Revocations, error) {
	book, err := newRecordBook(store, storeOptions{opts.MaxSilence, opts.Timeout, opts.Clock, opts.Logger})
	if err != nil {
		return nil, err
	}
	rules, err := NewRevocationRules(keys, opts.Rules)
	if err != nil {
		return nil, err
	}
	return &Revocations{rules, book, opts.AcceptOnFailure}, nil
}

// begun bounds an operation, unless there is nothing to operate on.
func (r *Revocations) begun(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if r == nil || r.book == nil {
		return nil, nil, ErrClosed
	}
	ctx, cancel := r.book.bounded(ctx)
	return ctx, cancel, nil
}

// Check returns nil if a verified token lives, and [ErrRevoked] if not.
func (r *Revocations) Check(ctx context.Context, claims *Claims) error {
	bounded, cancel, err := r.begun(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	query, err := revocationQueryOf(claims)
	if err != nil {
		return err
	}
	keys, err := r.rules.Keys(query)
	if err != nil {
		return err
	}
	read, err := r.book.read(bounded, keys, mayRemember)
	if errors.Is(err, ErrStoreUnavailable) && r.accept {
		r.book.logger.LogAttrs(ctx, slog.LevelError, "a token is accepted without knowing whether it is revoked",
			slog.Any("token", claims), slog.Attr{Key: "reason", Value: logged(err)})
		return nil
	}
	if err != nil {
		return err
	}
	return r.rules.Check(query, read.values, read.since)
}

// Revoke revokes a verified token: an access token by its id until it expires, and a
// refresh token with its whole family.
func (r *Revocations) Revoke(ctx context.Context, claims *Claims) error {
	if claims == nil {
		return ErrInvalidArgument
	}
	if _, is := claims.Generation(); is {
		return r.RevokeFamily(ctx, claims.Subject(), claims.Family())
	}
	if claims.TokenID() == "" {
		return ErrMissingClaim
	}
	return r.RevokeToken(ctx, claims.Subject(), claims.TokenID(), claims.ExpiresAt())
}

// RevokeToken revokes the token of a subject that has this id, and expires then.
func (r *Revocations) RevokeToken(ctx context.Context, subject, tokenID string, expires time.Time) error {
	return r.begin(ctx, RevokedToken, subject, tokenID, expires)
}

// RevokeFamily revokes the access tokens of a sign-in. Its refresh tokens are what
// [SessionManager.Revoke] is for, which does both.
func (r *Revocations) RevokeFamily(ctx context.Context, subject, family string) error {
	return r.begin(ctx, RevokedFamily, subject, family, forLong)
}

// RevokeSubject revokes all tokens that were issued to a subject until now.
func (r *Revocations) RevokeSubject(ctx context.Context, subject string) error {
	return r.begin(ctx, RevokedSubject, subject, "", forLong)
}

// RevokeKey revokes all tokens that were signed with a key: at verifiers that have the
// key for longer than the keyring that it was disabled in.
func (r *Revocations) RevokeKey(ctx context.Context, keyID string) error {
	return r.begin(ctx, RevokedKey, "", keyID, forLong)
}

// forLong is the time until when something is revoked that nobody knows the expiry of.
var forLong time.Time

func (r *Revocations) begin(ctx context.Context, kind RevocationKind, subject, id string, until time.Time) error {
	ctx, cancel, err := r.begun(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	return r.revoke(ctx, kind, subject, id, until)
}

func (r *Revocations) revoke(ctx context.Context, kind RevocationKind, subject, id string, until time.Time) error {
	key, err := r.rules.Key(kind, subject, id)
	if err != nil {
		return err
	}
	for range rounds {
		var decided time.Time
		err := r.book.change(ctx, []string{key}, func(read reading) (decision, error) {
			// By now, and not by when a slow store was asked: what counts is how long
			// the writing takes.
			decided = read.now
			if now := r.book.clock(); now.After(decided) {
				decided = now
			}
			value, keep, err := r.rules.Revoke(kind, subject, id, read.values[0], until, decided, read.since)
			return decision{nil, abi.WriteMust, value, keep}, err
		})
		// All tokens of a subject until now are to die, also those that were issued while
		// a slow store was written to.
		if err != nil || kind != RevokedSubject || r.book.clock().Sub(decided) <= slowWrite {
			return err
		}
	}
	return errContended
}

// slowWrite is how long ago a subject may have been revoked when it is written: issuers'
// clocks may differ by more.
const slowWrite = time.Second

// IssueSince returns the [Grant.RevokedSince] to issue tokens with to a subject, so that
// they outlive what was revoked before. It is to be asked before it is made sure that
// the subject may have them.
func (r *Revocations) IssueSince(ctx context.Context, subject string) (time.Time, error) {
	ctx, cancel, err := r.begun(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer cancel()
	keys, err := r.rules.Keys(RevocationQuery{Subject: subject})
	if err != nil {
		return time.Time{}, err
	}
	read, err := r.book.read(ctx, keys, fromStore)
	if err != nil {
		return time.Time{}, err
	}
	return r.rules.IssueSince(subject, read.values, read.since)
}

const (
	revocationPart = "revoked:"       // is in the keys of all revocations, and in no other
	sequenceKey    = "revocation-set" // has the sequence of the set that was published last
	sequenceKeep   = 10 * 366 * 24 * time.Hour
)

// Publish signs the set of all that is revoked, with the primary key for tokens, for
// verifiers that do not ask the store: see [OfflineRevocations]. It is good for a day at
// most, in whole seconds. The store has to be a [RecordScanner], and is read as a whole,
// for as long as ctx lets it.
//
// Sets have sequences that only grow, whichever process publishes them. The later one
// has all that the one before it has.
func (r *Revocations) Publish(ctx context.Context, keys *Keyring, validFor time.Duration) ([]byte, error) {
	seconds, err := whole(validFor, time.Second)
	if err != nil {
		return nil, err
	}
	if r == nil || r.book == nil {
		return nil, ErrClosed
	}
	scanner, is := r.book.store.(RecordScanner)
	if !is {
		return nil, ErrUnsupported
	}
	for round := range rounds {
		if err := pause(ctx, round); err != nil {
			return nil, r.book.failed(ctx, err)
		}
		set, err := r.publish(ctx, scanner, keys, seconds)
		if set != nil || err != nil {
			return set, err
		}
	}
	return nil, errContended
}

// publish publishes a set, unless somebody else has published one since it began to
// read, or the store has begun anew: what is in a set was in the store all the time
// between the sequence before it and its own.
func (r *Revocations) publish(ctx context.Context, scanner RecordScanner, keys *Keyring, seconds int64) ([]byte, error) {
	read, err := r.book.read(ctx, []string{sequenceKey}, fromStore)
	if err != nil {
		return nil, err
	}
	last := read.values[0]
	var set []byte
	if last != nil {
		records, err := scanned(ctx, scanner)
		if err != nil {
			return nil, r.book.failed(ctx, err)
		}
		if set, err = r.sign(keys, nextSequence(read), read, seconds, records); err != nil {
			return nil, err
		}
	}
	next := binary.BigEndian.AppendUint64(nil, nextSequence(read))
	published, err := r.book.store.Replace(ctx, sequenceKey, last, next, sequenceKeep)
	if err != nil {
		return nil, r.book.failed(ctx, err)
	}
	if !published {
		return nil, nil
	}
	return set, nil
}

// revocationKeys are those that the kernel writes revocations under.
var revocationKeys = regexp.MustCompile(`\A(?:\{[\w-]{22}\}:revoked:(?:since|(?:token|family):[\w-]{22})|revoked:key:[\w-]{22})\z`)

func scanned(ctx context.Context, scanner RecordScanner) ([]byte, error) {
	var records []byte
	for record, err := range scanner.Scan(ctx, revocationPart) {
		if err != nil {
			return nil, err
		}
		// Others may have keys with the same beginning, such as limits of what strangers send.
		if !revocationKeys.MatchString(record.Key) {
			continue
		}
		records = binary.BigEndian.AppendUint32(records, uint32(len(record.Value)))
		records = append(records, record.Value...)
	}
	return records, nil
}

// nextSequence grows even if the store has forgotten the last one.
func nextSequence(read reading) uint64 {
	next := uint64(max(read.now.UnixMilli(), 1))
	if last := read.values[0]; len(last) == 8 {
		next = max(next, binary.BigEndian.Uint64(last)+1)
	}
	return next
}

func (r *Revocations) sign(keys *Keyring, sequence uint64, read reading, seconds int64, records []byte) ([]byte, error) {
	k, err := keys.borrow()
	if err != nil {
		return nil, err
	}
	defer keys.handle.giveBack()
	now := read.now.Unix()
	set, status := k.RevocationSetSign(abi.RevocationSetSpec{
		Sequence: sequence, StoreSinceMS: sinceMS(read.since), Skew: r.rules.skew, IssuedAt: now, ValidUntil: now + seconds,
	}, abi.Text(records))
	return set, failure(status)
}

// Close releases the keys. The store stays the caller's. It returns nil, always.
func (r *Revocations) Close() error {
	if r == nil {
		return nil
	}
	return r.rules.Close()
}
