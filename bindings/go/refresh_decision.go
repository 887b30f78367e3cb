package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// DefaultRefreshGrace is how long after its rotation a refresh token may be used
// once more, for the client whose answer got lost or whose tabs refresh at once.
const DefaultRefreshGrace = 10 * time.Second

// A RefreshUse is the use of a refresh token that a [Verifier] has verified.
type RefreshUse struct {
	State      []byte // of the family, as stored; nil if the store has none
	Family     string // [Claims.Family]
	Generation int64  // [Claims.Generation]
	Grace      time.Duration
	Now        time.Time // if zero, the present
}

// A RefreshVerdict is what comes of a [RefreshUse]. If Changed is set, State has
// to replace the stored one, by compare-and-swap, before anything else happens;
// that holds for refusals, too. Refusal is nil, [ErrReuseDetected],
// [ErrRevoked] or [ErrStateStale].
type RefreshVerdict struct {
	Refusal error
	Changed bool
	State   []byte
}

// DecideRefresh decides about the use of a refresh token. Services that keep
// families in a [FamilyStore] call [Issuer.RotateRefresh] instead.
func DecideRefresh(u RefreshUse) (RefreshVerdict, error) {
	verdict, status := abi.RefreshRotate(abi.Text(u.State), u.Family, u.Generation,
		nowOr(u.Now).UnixMilli(), u.Grace.Milliseconds())
	if err := failure(status); err != nil {
		return RefreshVerdict{}, err
	}
	return RefreshVerdict{Refusal: failure(verdict.Status), Changed: verdict.Changed, State: verdict.State}, nil
}
