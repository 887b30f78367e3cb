package donjon

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A Lockout locks accounts and addresses that too many log-ins have failed at, for
// a while. An attempt is reserved before the password is hashed, so that parallel
// guesses are counted too, and settled afterwards:
//
//	attempt, err := lockout.Reserve(ctx, donjon.LogIn{Account: name, Address: client.Bucket})
//	if err != nil {
//		return err // a *LimitError, or the store is down
//	}
//	if _, err := hasher.Verify(ctx, user.Hash, password); err != nil {
//		return err // the attempt has failed: nothing is to be done
//	}
//	return attempt.Succeeded(ctx)
//
// Accounts are counted whether they exist or not, so that a lock tells nobody who
// does. Whoever knows a name can lock its account; a device that its user has logged
// in from before can log in all the same, by [Lockout.DeviceToken].
type Lockout struct {
	handle  *handle[abi.Lockout]
	limiter *Limiter
	limits  map[string]*Limits // by the kind of counter
}

// LockoutOptions are the optional parts of a [Lockout].
type LockoutOptions struct {
	// Account, Address and Device are the limits of each counter of this kind; if
	// nil, those of [LockoutLimits] with no options. Where many users share an
	// address, it needs more attempts than an account.
	Account, Address, Device *Limits
}

// A LogIn is an attempt to log in.
type LogIn struct {
	// Account is what the user says who he is, in the one spelling that the service
	// looks it up by. The store sees HMACs, of it and of the address. That it is
	// empty is [ErrInvalidArgument], and over 1,024 bytes [ErrTooLarge]: nobody is
	// called that.
	Account string

	// Address is the client's [Client.Bucket]; empty if there is none.
	Address string

	// Device is the client's device token; empty if it sent none. Subject and State
	// are what [Lockout.DeviceToken] was given, as the service has them on record
	// for the account; empty if it has no such account. With a good token, the
	// attempt is counted by the device, and by nothing else.
	Device  string
	Subject string
	State   string
}

// NewLockout makes a lock-out that counts with limiter. Keys needs a primary secret
// for [PurposeDevice], which the counters of accounts depend on, and what
// [NewPurposeTokens] needs. A nil opts means the zero [LockoutOptions].
func NewLockout(keys *Keyring, limiter *Limiter, opts *LockoutOptions) (*Lockout, error) {
	if opts == nil {
		opts = new(LockoutOptions)
	}
	byDefault, err := LockoutLimits(LockoutLimitsOptions{})
	if err != nil {
		return nil, err
	}
	limits := map[string]*Limits{"account": opts.Account, "address": opts.Address, "device": opts.Device}
	for kind, chosen := range limits {
		if chosen == nil {
			limits[kind] = byDefault
		}
	}
	k, err := keys.borrow()
	if err != nil {
		return nil, err
	}
	defer keys.handle.giveBack()
	l, status := abi.NewLockout(k)
	if err := failure(status); err != nil {
		return nil, err
	}
	lockout := &Lockout{limiter: limiter, limits: limits}
	lockout.handle = own(lockout, l, abi.Lockout.Free)
	return lockout, nil
}

// Reserve counts an attempt, before its password is looked at. A refusal is a
// [*LimitError]: the attempt counts for nobody, and the password is not to be looked
// at. The same is due to whoever gets it, whether the account is locked or the address, and
// whether the account exists or not.
//
// [ErrStoreUnavailable] is that the store did not answer, where the limiter's policy
// is [FailClosed].
func (l *Lockout) Reserve(ctx context.Context, logIn LogIn) (*Attempt, error) {
	return l.ReserveAt(ctx, logIn, time.Now())
}

// ReserveAt is [Lockout.Reserve] at another time, when the device token must still
// be good. Attempts are counted by the store's clock.
func (l *Lockout) ReserveAt(ctx context.Context, logIn LogIn, now time.Time) (*Attempt, error) {
	counters, err := l.counters(logIn, now)
	if err != nil {
		return nil, err
	}
	charges := make([]Charge, len(counters))
	for i, counter := range counters {
		kind, _, _ := strings.Cut(counter.Key, ":")
		limits, known := l.limits[kind]
		if !known {
			return nil, ErrInternal
		}
		charges[i] = Charge{limits, counter.Key, 1}
	}
	reserved, result, err := l.limiter.reserve(ctx, charges)
	if err != nil {
		return nil, err
	}
	if result.Allowed == 0 {
		return nil, &LimitError{result}
	}
	return &Attempt{Result: result, reserved: reserved, counters: counters}, nil
}

// A lockoutCounter is one of the counters that an attempt is charged to.
type lockoutCounter struct {
	Key       string `json:"key"`
	OnSuccess string `json:"on_success"` // "forget" or "give_back"
}

func (l *Lockout) counters(logIn LogIn, now time.Time) ([]lockoutCounter, error) {
	return decodedList[lockoutCounter](l.CountersJSON(logIn, now))
}

// CountersJSON returns what an attempt is charged to, for a service that counts by
// itself: a list of objects with the "key" of a counter, and with what becomes of it
// "on_success": "forget", or "give_back" what was charged.
func (l *Lockout) CountersJSON(logIn LogIn, now time.Time) ([]byte, error) {
	if now.IsZero() {
		return nil, ErrInvalidArgument
	}
	lockout, err := l.borrow()
	if err != nil {
		return nil, err
	}
	defer l.handle.giveBack()
	text, status := lockout.Counters(abi.LogIn{
		Account: logIn.Account, Address: logIn.Address,
		Subject: logIn.Subject, State: logIn.State, Device: logIn.Device,
	}, now.Unix())
	return text, failure(status)
}

// DeviceToken mints a token for the device of a user who has just logged in, good
// for ttl in whole seconds, to be kept in a cookie that only log-in is sent. It logs
// nobody in: see [LogIn]. Subject is the user's id; the token dies when state
// changes, which is the stored password hash.
func (l *Lockout) DeviceToken(subject, state string, ttl time.Duration) (string, error) {
	return l.DeviceTokenAt(subject, state, ttl, time.Now())
}

// DeviceTokenAt is [Lockout.DeviceToken] at another time.
func (l *Lockout) DeviceTokenAt(subject, state string, ttl time.Duration, now time.Time) (string, error) {
	seconds, err := whole(ttl, time.Second)
	if err != nil {
		return "", err
	}
	lockout, err := l.borrow()
	if err != nil {
		return "", err
	}
	defer l.handle.giveBack()
	token, status := lockout.DeviceToken(subject, state, seconds, now.Unix())
	return token, failure(status)
}

func (l *Lockout) borrow() (abi.Lockout, error) {
	if l == nil {
		return abi.Lockout{}, ErrClosed
	}
	return l.handle.borrow()
}

// Close releases the keys. Attempts can still be settled. It returns nil, always.
func (l *Lockout) Close() error {
	if l != nil {
		l.handle.close()
	}
	return nil
}

// An Attempt is a log-in that was counted before it was known how it ends. If it
// fails, it stays counted, and nothing is to be done.
type Attempt struct {
	// Result is what came of the charges, for the service's own log: nothing of it
	// is for the client.
	Result Result

	reserved *reservation
	counters []lockoutCounter // of what was spent, in this order
	settled  atomic.Bool
}

// Succeeded says that the user has logged in. It makes the account's failures
// forgotten, and those of the device if that was counted, and gives back what the
// address was charged: not its other failures, or a guesser would log in to an
// account of his own in between. It does so even if ctx was canceled in the meantime.
//
// An error is that the store did not answer, and was reported as the limiter reports
// it: the log-in is good all the same.
func (a *Attempt) Succeeded(ctx context.Context) error {
	return a.settle(ctx, func(ctx context.Context, s spending, counter lockoutCounter) error {
		if counter.OnSuccess == "forget" {
			return a.reserved.store.Forget(ctx, s.Key)
		}
		return a.reserved.giveBackOne(ctx, s)
	})
}

// Withdraw gives the attempt back where no password was looked at, as when the
// [Hasher] was busy: it has neither failed nor succeeded.
func (a *Attempt) Withdraw(ctx context.Context) error {
	return a.settle(ctx, func(ctx context.Context, s spending, _ lockoutCounter) error {
		return a.reserved.giveBackOne(ctx, s)
	})
}

// settle calls about each counter, the first time that it is called.
func (a *Attempt) settle(ctx context.Context, call func(context.Context, spending, lockoutCounter) error) error {
	if a == nil || a.reserved == nil {
		return ErrClosed
	}
	if a.settled.Swap(true) || len(a.reserved.spent) == 0 {
		return nil
	}
	return a.reserved.settle(ctx, func(ctx context.Context) error {
		var failed error
		for i, spent := range a.reserved.spent {
			failed = errors.Join(failed, call(ctx, spent, a.counters[i]))
		}
		return failed
	})
}
