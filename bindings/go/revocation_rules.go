package donjon

import (
	"encoding/binary"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// RevocationRules say what a store has to be asked about a token, and decide by its
// answers. They store nothing: [Revocations] are made of them, which ask a
// [RecordStore]; services rarely need them by themselves.
type RevocationRules struct {
	handle *handle[abi.Revocations]
	skew   int64 // in seconds
}

// RevocationRulesOptions say what [NewRevocationRules] makes.
type RevocationRulesOptions struct {
	// Skew is how much the clocks of issuers may differ, in whole seconds up to five
	// minutes; if zero, [DefaultRevocationSkew].
	Skew   time.Duration
	NoSkew bool // they do not differ; Skew is then zero

	// LongestTTL is how long the longest-lived token is good, in whole seconds; if zero,
	// 30 days. What was revoked is forgotten after that.
	LongestTTL time.Duration
}

// NewRevocationRules makes rules. Keys needs a primary secret for [PurposeDevice], which
// hides from the store whose tokens are revoked.
func NewRevocationRules(keys *Keyring, opts RevocationRulesOptions) (*RevocationRules, error) {
	var d document
	if opts.NoSkew {
		if opts.Skew != 0 {
			return nil, misconfigured("skew_s", "given, and waived")
		}
		d.number("skew_s", 0)
	}
	if err := d.duration("skew_s", opts.Skew, time.Second); err != nil {
		return nil, err
	}
	if err := d.duration("longest_ttl_s", opts.LongestTTL, time.Second); err != nil {
		return nil, err
	}
	return newRevocationRules(keys, d.end())
}

// ParseRevocationRules is [NewRevocationRules] of the kernel's own configuration
// document, a JSON object that is the same in every language.
func ParseRevocationRules(keys *Keyring, config []byte) (*RevocationRules, error) {
	return newRevocationRules(keys, abi.Text(config))
}

func newRevocationRules(keys *Keyring, config string) (*RevocationRules, error) {
	k, err := keys.borrow()
	if err != nil {
		return nil, err
	}
	defer keys.handle.giveBack()
	r, status := abi.NewRevocations(k, config)
	err = accepted(status, func() ([]byte, int32) { return abi.RevocationsDiagnose(k, config) })
	if err != nil {
		return nil, err
	}
	rules := new(RevocationRules)
	rules.handle = own(rules, r, abi.Revocations.Free)
	rules.skew, err = skewOf(config)
	return rules, err
}

// skewOf reads what a set of all that is revoked has to say as well.
func skewOf(config string) (int64, error) {
	if config == "" {
		config = "{}"
	}
	given, err := decoded[struct {
		Skew *int64 `json:"skew_s"`
	}]([]byte(config), nil)
	if err != nil {
		return 0, err
	}
	if given.Skew == nil {
		return int64(DefaultRevocationSkew / time.Second), nil
	}
	return *given.Skew, nil
}

// A RevocationQuery is what is asked of a token. What is empty is not asked.
type RevocationQuery struct {
	Subject  string    // [Claims.Subject]
	TokenID  string    // [Claims.TokenID]
	Family   string    // [Claims.Family]
	KeyID    string    // [Claims.KeyID]
	IssuedAt time.Time // [Claims.IssuedAt]
}

// revocationQueryOf is what is asked of a verified token. Nil claims are those of none.
func revocationQueryOf(c *Claims) (RevocationQuery, error) {
	if c == nil {
		return RevocationQuery{}, ErrInvalidArgument
	}
	return RevocationQuery{
		Subject: c.Subject(), TokenID: c.TokenID(), Family: c.Family(), KeyID: c.KeyID(), IssuedAt: c.IssuedAt(),
	}, nil
}

func (q *RevocationQuery) kernel() abi.RevocationQuery {
	return abi.RevocationQuery{
		Subject: q.Subject, TokenID: q.TokenID, Family: q.Family, KeyID: q.KeyID, IssuedAt: optionalSeconds(q.IssuedAt),
	}
}

// Keys returns what the store is to be asked for.
func (r *RevocationRules) Keys(q RevocationQuery) ([]string, error) {
	return decodedList[string](r.answer(func(r abi.Revocations) ([]byte, int32) { return r.Keys(q.kernel()) }))
}

// Check returns nil if the token lives, and [ErrRevoked] if not. Values are what the
// store has under [RevocationRules.Keys], nil for nothing; storeSince is how far back it
// remembers.
func (r *RevocationRules) Check(q RevocationQuery, values [][]byte, storeSince time.Time) error {
	rules, err := r.borrow()
	if err != nil {
		return err
	}
	defer r.handle.giveBack()
	return failure(rules.Check(q.kernel(), joined(values), sinceMS(storeSince)))
}

// joined is values one after the other, each after its length.
func joined(values [][]byte) string {
	var all []byte
	for _, value := range values {
		all = binary.BigEndian.AppendUint32(all, uint32(len(value)))
		all = append(all, value...)
	}
	return abi.Text(all)
}

// IssueSince returns what tokens for a subject have to outlive: the
// [Grant.RevokedSince] to issue them with. Values are what the store has under the
// [RevocationRules.Keys] of the subject alone.
func (r *RevocationRules) IssueSince(subject string, values [][]byte, storeSince time.Time) (time.Time, error) {
	rules, err := r.borrow()
	if err != nil {
		return time.Time{}, err
	}
	defer r.handle.giveBack()
	since, status := rules.IssueSince(subject, joined(values), sinceMS(storeSince))
	return optionalTime(since), failure(status)
}

// A RevocationKind is what is revoked.
type RevocationKind uint32

// The kinds.
const (
	RevokedToken   RevocationKind = abi.RevokedToken   // one token, by its id
	RevokedFamily  RevocationKind = abi.RevokedFamily  // the tokens of one sign-in, by its family
	RevokedSubject RevocationKind = abi.RevokedSubject // all that were issued to a subject until now
	RevokedKey     RevocationKind = abi.RevokedKey     // all that were signed with a key, by its id
)

// Key returns where it is written that something is revoked. ID is that of the token,
// the family or the key; of a subject it is empty.
func (r *RevocationRules) Key(kind RevocationKind, subject, id string) (string, error) {
	text, err := r.answer(func(r abi.Revocations) ([]byte, int32) { return r.Key(uint32(kind), subject, id) })
	return abi.Text(text), err
}

// Revoke returns what is to be written in place of what is stored under
// [RevocationRules.Key], and for how long it has to be kept. Until is when what is
// revoked expires anyway; if zero, after the longest time that a token is good.
// StoreSince is how far back the store remembers.
func (r *RevocationRules) Revoke(kind RevocationKind, subject, id string, stored []byte, until, now, storeSince time.Time) (value []byte, keep time.Duration, err error) {
	rules, err := r.borrow()
	if err != nil {
		return nil, 0, err
	}
	defer r.handle.giveBack()
	value, keepMS, status := rules.Revoke(uint32(kind), subject, id, abi.Text(stored), optionalSeconds(until), now.UnixMilli(), sinceMS(storeSince))
	return value, milliseconds(keepMS), failure(status)
}

func (r *RevocationRules) borrow() (abi.Revocations, error) {
	if r == nil {
		return abi.Revocations{}, ErrClosed
	}
	return r.handle.borrow()
}

// answer is for a call that answers with a text.
func (r *RevocationRules) answer(call func(abi.Revocations) ([]byte, int32)) ([]byte, error) {
	rules, err := r.borrow()
	if err != nil {
		return nil, err
	}
	defer r.handle.giveBack()
	text, status := call(rules)
	return text, failure(status)
}

// Close releases the keys. It returns nil, always.
func (r *RevocationRules) Close() error {
	if r != nil {
		r.handle.close()
	}
	return nil
}
