package donjon

import (
	"context"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A FamilyStore keeps the state of refresh families, 32 bytes each, for as long
// as refresh tokens are good.
type FamilyStore interface {
	// Load returns the state of a family, or nil if the store has none.
	Load(ctx context.Context, family string) ([]byte, error)

	// Swap stores the state next if the store still holds the state last, nil
	// for none, and reports whether it did. It is atomic.
	Swap(ctx context.Context, family string, last, next []byte) (bool, error)
}

// BeginRefresh mints the first refresh token of a new family and stores the
// family's state.
func (i *Issuer) BeginRefresh(ctx context.Context, store FamilyStore, g Grant) (string, error) {
	state, status := abi.RefreshBegin(nowOr(g.Now).UnixMilli())
	if err := failure(status); err != nil {
		return "", err
	}
	token, err := i.refresh(state, g)
	if err != nil {
		return "", err
	}
	family, status := abi.RefreshFamily(abi.Text(state))
	if err := failure(status); err != nil {
		return "", err
	}
	swapped, err := store.Swap(ctx, family, nil, state)
	if err != nil {
		return "", err
	}
	if !swapped {
		return "", ErrStateStale
	}
	return token, nil
}

// RotateRefresh mints the successor of a refresh token, whose claims a
// [Verifier] has verified, and stores the family's new state. A token that was
// used before is [ErrReuseDetected], and its family is revoked; but within the
// grace after its rotation it gets the same successor again.
//
// The successor is of the same subject, which g need not repeat. Another one in
// g is [ErrInvalidArgument], and the store is not touched.
func (i *Issuer) RotateRefresh(ctx context.Context, store FamilyStore, used *Claims, grace time.Duration, g Grant) (string, error) {
	if used == nil {
		return "", ErrInvalidArgument
	}
	generation, ok := used.Generation()
	if !ok {
		return "", ErrWrongTokenType
	}
	if g.Subject != "" && g.Subject != used.Subject() {
		return "", ErrInvalidArgument
	}
	g.Subject = used.Subject()
	for ctx.Err() == nil {
		state, err := store.Load(ctx, used.Family())
		if err != nil {
			return "", err
		}
		verdict, err := DecideRefresh(RefreshUse{
			State: state, Family: used.Family(), Generation: generation, Grace: grace, Now: g.Now,
		})
		if err != nil {
			return "", err
		}
		if verdict.Changed {
			swapped, err := store.Swap(ctx, used.Family(), state, verdict.State)
			if err != nil {
				return "", err
			}
			if !swapped {
				continue // another use came first: decide on what it has left
			}
		}
		if verdict.Refusal != nil {
			return "", verdict.Refusal
		}
		return i.refresh(verdict.State, g)
	}
	return "", ctx.Err()
}

// RevokeFamily makes the store refuse all refresh tokens of a family from now
// on, as at log-out. A family that the store does not have is refused anyway.
func RevokeFamily(ctx context.Context, store FamilyStore, family string) error {
	for ctx.Err() == nil {
		state, err := store.Load(ctx, family)
		if err != nil || state == nil {
			return err
		}
		revoked, status := abi.RefreshRevoke(abi.Text(state))
		if err := failure(status); err != nil {
			return err
		}
		swapped, err := store.Swap(ctx, family, state, revoked)
		if err != nil || swapped {
			return err
		}
	}
	return ctx.Err()
}

func (i *Issuer) refresh(state []byte, g Grant) (string, error) {
	grant, err := g.kernel()
	if err != nil {
		return "", err
	}
	issuer, err := i.borrow()
	if err != nil {
		return "", err
	}
	defer i.handle.giveBack()
	token, status := issuer.Refresh(abi.Text(state), grant)
	return token, failure(status)
}
