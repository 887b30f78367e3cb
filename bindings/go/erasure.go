package donjon

import (
	"encoding/json"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// ErasedBy is what made erased data unreadable.
type ErasedBy string

// The ways in which data is erased.
const (
	ErasedByKeysDestroyed  ErasedBy = "keys_destroyed"  // nothing unwraps the data key any more, not even from a backup
	ErasedByBackupsExpired ErasedBy = "backups_expired" // no copy of the wrapped data key is left
)

// An Erasure says whether what a data key sealed is gone for good, once its
// wrapped form was deleted where it was stored.
type Erasure struct {
	Erased        bool
	By            ErasedBy  // empty if it is not erased
	Alive         []string  // the keys that are not destroyed, which a restored backup would open with
	BackupsExpire time.Time // zero if nobody knows
}

// Erasure judges whether the data of a data key is erased. The ids are those of
// every key-encryption key that ever wrapped it, as [InspectEnvelope] says of each
// wrapped form, and backupsExpire is when the last backup that holds such a form is
// gone, or zero if never or unknown.
//
// A key that was derived from a master secret cannot be destroyed: it is
// [ErrConfig] to count on it without an end of the backups.
func (k *Keyring) Erasure(keyIDs []string, backupsExpire time.Time) (*Erasure, error) {
	return k.ErasureAt(keyIDs, backupsExpire, time.Now())
}

// ErasureAt is [Keyring.Erasure] at another time.
func (k *Keyring) ErasureAt(keyIDs []string, backupsExpire, now time.Time) (*Erasure, error) {
	text, err := k.ErasureJSONAt(keyIDs, backupsExpire, now)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Erased        bool     `json:"erased"`
		By            ErasedBy `json:"by"`
		Alive         []string `json:"alive"`
		BackupsExpire *int64   `json:"backups_expire_s"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	return &Erasure{
		Erased: answer.Erased, By: answer.By, Alive: answer.Alive, BackupsExpire: unix(answer.BackupsExpire),
	}, nil
}

// ErasureJSONAt is [Keyring.ErasureAt] as a JSON object.
func (k *Keyring) ErasureJSONAt(keyIDs []string, backupsExpire, now time.Time) ([]byte, error) {
	if now.IsZero() {
		return nil, ErrInvalidArgument
	}
	keys, err := k.borrow()
	if err != nil {
		return nil, err
	}
	defer k.handle.giveBack()
	expire := int64(abi.Never)
	if !backupsExpire.IsZero() {
		expire = backupsExpire.Unix()
	}
	list := quote.AppendAll(nil, keyIDs)
	text, status := keys.Erasure(abi.Text(list), expire, now.Unix())
	return text, failure(status)
}
