package donjon_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/storetest"
)

func TestCachedRecords(t *testing.T) {
	for name, age := range map[string]time.Duration{"that remember nothing": 0, "that remember": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			storetest.Records(t, func(testing.TB) donjon.RecordStore {
				return &donjon.CachedRecords{Store: new(donjon.MemoryRecords), MaxAge: age, MaxEntries: 100}
			})
		})
	}
}

// countingStore counts what it is asked, and fails when told to.
type countingStore struct {
	donjon.MemoryRecords
	asked atomic.Int32
	fails atomic.Bool
	slow  func() // called between reading and answering
}

func (s *countingStore) GetMany(ctx context.Context, keys []string) ([][]byte, error) {
	s.asked.Add(1)
	if s.fails.Load() {
		return nil, errDown
	}
	values, err := s.MemoryRecords.GetMany(ctx, keys)
	if s.slow != nil {
		s.slow()
	}
	return values, err
}

func (s *countingStore) Replace(ctx context.Context, key string, before, after []byte, keep time.Duration) (bool, error) {
	if s.fails.Load() {
		return false, errDown
	}
	return s.MemoryRecords.Replace(ctx, key, before, after, keep)
}

func TestWhatIsRememberedIsNeverOlderThanPromised(t *testing.T) {
	store := new(countingStore)
	mine := &donjon.CachedRecords{Store: store, MaxAge: 100 * time.Millisecond}
	set(t, store, "a", "", "1")
	equal(t, "first", value(t, mine, "a"), "1")
	set(t, store, "a", "1", "2") // by another process
	changed := time.Now()
	equal(t, "remembered", value(t, mine, "a"), "1")
	equal(t, "asked", store.asked.Load(), 1)
	for value(t, mine, "a") == "1" {
		if time.Since(changed) > 100*time.Millisecond+50*time.Millisecond {
			t.Fatal("older than promised")
		}
		time.Sleep(time.Millisecond)
	}
	equal(t, "asked anew", store.asked.Load(), 2)

	equal(t, "that there is none", value(t, mine, "b"), "")
	set(t, store, "b", "", "1")
	equal(t, "that there was none", value(t, mine, "b"), "")
	set(t, mine, "a", "2", "3")
	equal(t, "what it has written itself", value(t, mine, "a"), "3")
	if replaced, err := mine.Replace(t.Context(), "b", nil, []byte("2"), time.Hour); err != nil || replaced {
		t.Error("replaced what is not there", err)
	}
	equal(t, "what it could not write", value(t, mine, "b"), "1")
}

func TestStaleRecordsAreForFailuresOnly(t *testing.T) {
	store := new(countingStore)
	mine := &donjon.CachedRecords{Store: store, MaxAge: time.Millisecond, StaleIfError: 200 * time.Millisecond}
	set(t, store, "a", "", "1")
	equal(t, "first", value(t, mine, "a"), "1")
	asked := time.Now()
	store.fails.Store(true)
	for time.Since(asked) < 100*time.Millisecond {
		equal(t, "stale", value(t, mine, "a"), "1")
		time.Sleep(5 * time.Millisecond)
	}
	if _, err := mine.GetMany(t.Context(), []string{"a", "unknown"}); !errors.Is(err, errDown) {
		t.Errorf("unknown: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mine.GetMany(canceled, []string{"a"}); !errors.Is(err, errDown) {
		t.Errorf("canceled: %v", err)
	}
	time.Sleep(time.Until(asked.Add(200 * time.Millisecond)))
	if _, err := mine.GetMany(t.Context(), []string{"a"}); !errors.Is(err, errDown) {
		t.Errorf("too old: %v", err)
	}
	store.fails.Store(false)
	equal(t, "again", value(t, mine, "a"), "1")
}

// What a slow answer says is not remembered over what this process has written since.
func TestAnAnswerFromBeforeAWriteIsNotRemembered(t *testing.T) {
	store := new(countingStore)
	mine := &donjon.CachedRecords{Store: store, MaxAge: time.Hour}
	set(t, store, "a", "", "1")
	read, written := make(chan struct{}), make(chan struct{})
	store.slow = sync.OnceFunc(func() {
		close(read)
		<-written
	})
	done := make(chan string)
	go func() { done <- value(t, mine, "a") }()
	<-read
	set(t, mine, "a", "1", "2")
	close(written)
	<-done
	equal(t, "after the write", value(t, mine, "a"), "2")
}

func TestRememberedRecordsAreBounded(t *testing.T) {
	store := new(countingStore)
	mine := &donjon.CachedRecords{Store: store, MaxAge: time.Hour, MaxEntries: 10}
	for i := range 1000 {
		value(t, mine, fmt.Sprint(i))
	}
	store.asked.Store(0)
	for i := range 1000 {
		if _, err := mine.GetMany(t.Context(), []string{fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if asked := store.asked.Load(); asked < 990 {
		t.Errorf("%d of 1000 were remembered", 1000-asked)
	}
	for i := 996; i < 1000; i++ {
		value(t, mine, fmt.Sprint(i))
	}
	equal(t, "asked about the youngest", store.asked.Load(), 1000)
}

func TestNoStoreAnswers(t *testing.T) {
	for _, store := range []donjon.RecordStore{
		(*donjon.MemoryRecords)(nil), (*donjon.CachedRecords)(nil), new(donjon.CachedRecords),
	} {
		if _, err := store.GetMany(t.Context(), []string{"a"}); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("got: %v", err)
		}
		if replaced, err := store.Replace(t.Context(), "a", nil, []byte("a"), time.Hour); !errors.Is(err, donjon.ErrClosed) || replaced {
			t.Errorf("replaced: %v", err)
		}
		for _, err := range store.(donjon.RecordScanner).Scan(t.Context(), "a") {
			if !errors.Is(err, donjon.ErrClosed) {
				t.Errorf("scanned: %v", err)
			}
		}
	}
}

func value(t testing.TB, store donjon.RecordStore, key string) string {
	t.Helper()
	values, err := store.GetMany(t.Context(), []string{key})
	if err != nil {
		t.Error(err)
		return ""
	}
	return string(values[0])
}

func set(t testing.TB, store donjon.RecordStore, key, before, after string) {
	t.Helper()
	replaced, err := store.Replace(t.Context(), key, []byte(before), []byte(after), time.Hour)
	if err != nil || !replaced {
		t.Fatal("not replaced", err)
	}
}
