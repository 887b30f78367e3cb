package donjon_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// A subject is erased, and a backup is restored that still has the wrapped key.
func TestErasureHoldsAgainstABackup(t *testing.T) {
	keys := newKeys(t)
	sealer := sealerOf(t, keys)
	ann, annWrapped, err := sealer.NewDataKey("ann")
	ok(t, err)
	defer ann.Close()
	_, bobWrapped, err := sealer.NewDataKey("bob")
	ok(t, err)
	cell := sealed(t, ann, []byte("secret"))

	// Ann's wrapped key was deleted; the backup has it.
	verdict, err := keys.Erasure([]string{sealer.KeyID()}, time.Time{})
	ok(t, err)
	if verdict.Erased || verdict.By != "" || !slices.Equal(verdict.Alive, []string{sealer.KeyID()}) || !verdict.BackupsExpire.IsZero() {
		t.Errorf("before anything: %+v", verdict)
	}
	restored, err := sealer.OpenDataKey(annWrapped, "ann")
	ok(t, err)
	opened, err := restored.Open(here, cell)
	ok(t, err)
	equal(t, "from the backup", string(opened), "secret")

	// The survivors are wrapped anew, and the old key is destroyed.
	rotated, err := keys.Rotate(donjon.Rotation{Purpose: donjon.PurposeEnvelope})
	ok(t, err)
	defer rotated.Close()
	bobRewrapped, err := sealerOf(t, rotated).RewrapDataKey(bobWrapped, "bob", nil)
	ok(t, err)
	ended, err := rotated.Destroy(sealer.KeyID())
	ok(t, err)
	defer ended.Close()
	verdict, err = ended.Erasure([]string{sealer.KeyID()}, time.Time{})
	ok(t, err)
	if !verdict.Erased || verdict.By != donjon.ErasedByKeysDestroyed || len(verdict.Alive) > 0 {
		t.Errorf("after all keys were destroyed: %+v", verdict)
	}
	survivor := sealerOf(t, ended)
	if _, err := survivor.OpenDataKey(annWrapped, "ann"); !errors.Is(err, donjon.ErrKeyDestroyed) {
		t.Errorf("from the backup: %v", err)
	}
	_, err = survivor.OpenDataKey(bobRewrapped, "bob")
	ok(t, err)
}

func TestErasureByTheEndOfTheBackups(t *testing.T) {
	keys := newKeys(t)
	ids := []string{sealerOf(t, keys).KeyID()}
	for _, c := range []struct {
		now    time.Time
		erased bool
		by     donjon.ErasedBy
	}{
		{at.Add(-time.Second), false, ""},
		{at.Add(time.Second), true, donjon.ErasedByBackupsExpired},
	} {
		verdict, err := keys.ErasureAt(ids, at, c.now)
		ok(t, err)
		equal(t, "erased", verdict.Erased, c.erased)
		equal(t, "by", verdict.By, c.by)
		equal(t, "end of the backups", verdict.BackupsExpire, at)
	}
}

func TestErasureThatCannotBePromisedIsRefused(t *testing.T) {
	keys := newKeys(t)
	derived, err := donjon.KeyringFromMaster(testMaster, donjon.Epoch{Purpose: donjon.PurposeEnvelope, Algorithm: donjon.HS256, Current: 1})
	ok(t, err)
	defer derived.Close()
	id := sealerOf(t, derived).KeyID()
	for name, c := range map[string]struct {
		keys *donjon.Keyring
		ids  []string
		want error
	}{
		"no keys":        {keys, nil, donjon.ErrInvalidArgument},
		"an unknown key": {keys, []string{"none"}, donjon.ErrUnknownKey},
		"a derived key":  {derived, []string{id}, donjon.ErrConfig},
	} {
		if _, err := c.keys.Erasure(c.ids, time.Time{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	verdict, err := derived.ErasureAt([]string{id}, at, at.Add(time.Second))
	ok(t, err)
	equal(t, "by the end of the backups", verdict.By, donjon.ErasedByBackupsExpired)
	if _, err := keys.ErasureAt([]string{"none"}, at, time.Time{}); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("at no time: %v", err)
	}
}
