package donjon_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/storetest"
)

func TestMemoryRecords(t *testing.T) {
	storetest.Records(t, func(testing.TB) donjon.RecordStore { return new(donjon.MemoryRecords) })
}

// What is revoked is never forgotten for the sake of what is new.
func TestFullMemoryRecordsRefuseNewOnes(t *testing.T) {
	store := &donjon.MemoryRecords{Capacity: 10}
	create := func(key string, keep time.Duration) error {
		replaced, err := store.Replace(t.Context(), key, nil, []byte(key), keep)
		if replaced != (err == nil) {
			t.Errorf("%s: replaced %v, %v", key, replaced, err)
		}
		return err
	}
	for i := range 10 {
		ok(t, create(fmt.Sprint(i), time.Duration(1+i%2*100)*30*time.Millisecond)) // every other for longer
	}
	if err := create("new", time.Hour); !errors.Is(err, donjon.ErrStoreUnavailable) {
		t.Fatalf("full: %v", err)
	}
	replaced, err := store.Replace(t.Context(), "1", []byte("1"), []byte("changed"), time.Hour)
	ok(t, err)
	equal(t, "replaced", replaced, true)
	time.Sleep(60 * time.Millisecond)
	equal(t, "records after the time of half", store.Len(), 5)
	for i := range 5 {
		ok(t, create(fmt.Sprint("new", i), time.Hour))
	}
	if err := create("new", time.Hour); !errors.Is(err, donjon.ErrStoreUnavailable) {
		t.Fatalf("full again: %v", err)
	}
	replaced, err = store.Replace(t.Context(), "new0", []byte("new0"), nil, time.Hour)
	ok(t, err)
	equal(t, "deleted", replaced, true)
	ok(t, create("new", time.Hour))
	values, err := store.GetMany(t.Context(), []string{"0", "1", "3", "new0", "new"})
	ok(t, err)
	equal(t, "what is left", fmt.Sprintf("%s", values), "[ changed 3  new]")
}
