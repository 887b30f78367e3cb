package donjon_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
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
	var log bytes.Buffer
	mine := &donjon.CachedRecords{
		Store: store, MaxAge: 100 * time.Millisecond, StaleIfError: 400 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}
	set(t, store, "a", "", "1")
	equal(t, "first", value(t, mine, "a"), "1")
	asked := time.Now()
	store.fails.Store(true)
	for time.Since(asked) < 200*time.Millisecond {
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
	time.Sleep(time.Until(asked.Add(500 * time.Millisecond)))
	if _, err := mine.GetMany(t.Context(), []string{"a"}); !errors.Is(err, errDown) {
		t.Errorf("too old: %v", err)
	}
	store.fails.Store(false)
	equal(t, "again", value(t, mine, "a"), "1")
	equal(t, "logged", strings.Count(log.String(), "\n"), 2)
}

// A caller whose own time is over, which he may be free to choose, says nothing of the
// store: what was revoked elsewhere is not accepted any longer for that.
func TestACallerInAHurryMakesNothingStale(t *testing.T) {
	store := new(countingStore)
	var hangs atomic.Bool
	mine := &donjon.CachedRecords{
		Store: hangingStore{store, &hangs}, MaxAge: time.Millisecond, StaleIfError: time.Hour, Logger: slog.New(slog.DiscardHandler),
	}
	set(t, store, "a", "", "1")
	equal(t, "first", value(t, mine, "a"), "1")
	hangs.Store(true)
	hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := mine.GetMany(hurried, []string{"unknown"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("in a hurry: %v", err)
	}
	hangs.Store(false)
	set(t, store, "a", "1", "2")
	time.Sleep(2 * time.Millisecond)
	equal(t, "changed elsewhere", value(t, mine, "a"), "2")
}

// Of a store that hangs, one request in a second waits for the answer, and no session
// that is remembered ends because it cannot be written that it is used.
func TestStaleSessionsOutliveWhatCannotBeWritten(t *testing.T) {
	store := new(countingStore)
	var hangs atomic.Bool
	cache := &donjon.CachedRecords{
		Store: hangingStore{store, &hangs}, MaxAge: time.Millisecond, StaleIfError: time.Hour, Logger: slog.New(slog.DiscardHandler),
	}
	keys, err := donjon.GenerateKeyring(forSessions)
	ok(t, err)
	defer keys.Close()
	var ahead atomic.Int64
	m, err := donjon.NewSessionManager(keys, cache, donjon.SessionManagerOptions{
		Timeout: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	})
	ok(t, err)
	defer m.Close()
	in, err := m.LogIn(t.Context(), donjon.NewSession{Subject: "ann"}, "")
	ok(t, err)
	check := func(what string, want error) {
		t.Helper()
		if _, err := m.Check(t.Context(), in.ID, donjon.SessionClient{}); !errors.Is(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("remembered", nil)
	for what, fails := range map[string]*atomic.Bool{"fails": &store.fails, "hangs": &hangs} {
		fails.Store(true)
		ahead.Add(int64(2 * time.Minute)) // it is time to write that the session is used
		began := time.Now()
		for range 50 {
			check("the store "+what, nil)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("50 requests while the store %s took %v", what, took)
		}
		fails.Store(false)
		time.Sleep(1100 * time.Millisecond)
		check("the store answers", nil)
		check("remembered again", nil)
	}
	ok(t, m.LogOut(t.Context(), in.ID))
	store.fails.Store(true)
	check("logged out", donjon.ErrStoreUnavailable)
}

// hangingStore does not answer when told to.
type hangingStore struct {
	donjon.RecordStore
	hangs *atomic.Bool
}

func (s hangingStore) GetMany(ctx context.Context, keys []string) ([][]byte, error) {
	if s.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.RecordStore.GetMany(ctx, keys)
}

func (s hangingStore) Replace(ctx context.Context, key string, before, after []byte, keep time.Duration) (bool, error) {
	if s.hangs.Load() {
		<-ctx.Done()
		return false, ctx.Err()
	}
	return s.RecordStore.Replace(ctx, key, before, after, keep)
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
