// Package storetest is what every store has to pass, whatever it keeps its records in.
package storetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// Open opens a store that is empty.
type Open func(t testing.TB) donjon.RecordStore

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// put puts a value where none is.
func put(t testing.TB, store donjon.RecordStore, key, value string) {
	t.Helper()
	replaced, err := store.Replace(t.Context(), key, nil, []byte(value), time.Hour)
	ok(t, err)
	if !replaced {
		t.Fatalf("%q was there", key)
	}
}

func get(t testing.TB, store donjon.RecordStore, key string) []byte {
	t.Helper()
	values, err := store.GetMany(t.Context(), []string{key})
	ok(t, err)
	return values[0]
}

// Records tests what a store promises by itself.
func Records(t *testing.T, open Open) {
	t.Run("compare and set", func(t *testing.T) { compareAndSet(t, open(t)) })
	t.Run("any bytes", func(t *testing.T) { anyBytes(t, open(t)) })
	t.Run("many keys", func(t *testing.T) { manyKeys(t, open(t)) })
	t.Run("time to live", func(t *testing.T) { timeToLive(t, open(t)) })
	t.Run("one of many creates", func(t *testing.T) { oneCreates(t, open(t)) })
	t.Run("no change is lost", func(t *testing.T) { noChangeIsLost(t, open(t)) })
	t.Run("scan", func(t *testing.T) { scan(t, open(t)) })
	t.Run("canceled", func(t *testing.T) { canceled(t, open(t)) })
}

func compareAndSet(t *testing.T, store donjon.RecordStore) {
	a, b, none := []byte("a"), []byte("b"), []byte(nil)
	for i, step := range []struct {
		before, after []byte
		replaced      bool
		left          []byte
	}{
		{a, b, false, none},
		{none, none, true, none},
		{none, a, true, a},
		{none, b, false, a},
		{[]byte{}, none, false, a},
		{b, a, false, a},
		{[]byte("aa"), b, false, a},
		{a, a, true, a},
		{a, b, true, b},
		{a, none, false, b},
		{b, none, true, none},
		{b, none, false, none},
		{[]byte{}, b, true, b},
	} {
		replaced, err := store.Replace(t.Context(), "key", step.before, step.after, time.Hour)
		ok(t, err)
		left := get(t, store, "key")
		if replaced != step.replaced || !bytes.Equal(left, step.left) || (left == nil) != (step.left == nil) {
			t.Fatalf("step %d: replaced %v, left %q", i, replaced, left)
		}
	}
	for _, keep := range []time.Duration{0, -time.Second} {
		if replaced, err := store.Replace(t.Context(), "key", b, a, keep); err == nil || replaced {
			t.Errorf("kept for %v", keep)
		}
	}
	put(t, store, "long-lived", "a")
	replaced, err := store.Replace(t.Context(), "long-lived", a, b, 10*366*24*time.Hour)
	ok(t, err)
	equal(t, "replaced for ten years", replaced, true)
	equal(t, "kept for ten years", string(get(t, store, "long-lived")), "b")
}

func anyBytes(t *testing.T, store donjon.RecordStore) {
	for i, value := range [][]byte{
		{0}, {0, 0}, []byte("\r\n"), {0xff, 0xfe}, []byte("0"), []byte("nil"), bytes.Repeat([]byte{0, 0xff, '\n'}, 40_000),
	} {
		key := fmt.Sprintf("{k}%d:\x00\xff*?[]", i)
		put(t, store, key, string(value))
		if !bytes.Equal(get(t, store, key), value) {
			t.Errorf("%.20q came back otherwise", value)
		}
		replaced, err := store.Replace(t.Context(), key, value, append([]byte{1}, value...), time.Hour)
		ok(t, err)
		equal(t, "replaced", replaced, true)
	}
	mine := []byte("mine")
	put(t, store, "mine", "other")
	_, err := store.Replace(t.Context(), "mine", []byte("other"), mine, time.Hour)
	ok(t, err)
	mine[0] = 'M'
	equal(t, "what was stored", string(get(t, store, "mine")), "mine")
}

func manyKeys(t *testing.T, store donjon.RecordStore) {
	var keys []string
	for i := range 300 {
		key := fmt.Sprintf("{user %d}:sessions", i)
		keys = append(keys, key)
		if i%3 > 0 {
			put(t, store, key, fmt.Sprint(i))
		}
	}
	keys = append(keys, keys[1], keys[0])
	values, err := store.GetMany(t.Context(), keys)
	ok(t, err)
	equal(t, "number of values", len(values), len(keys))
	for i, value := range values {
		n := i
		if i >= 300 {
			n = 301 - i
		}
		want := ""
		if n%3 > 0 {
			want = fmt.Sprint(n)
		}
		if string(value) != want || (value == nil) != (want == "") {
			t.Fatalf("value %d is %q", i, value)
		}
	}
	values, err = store.GetMany(t.Context(), nil)
	ok(t, err)
	equal(t, "values of no keys", len(values), 0)
}

func timeToLive(t *testing.T, store donjon.RecordStore) {
	short := 150 * time.Millisecond
	for _, key := range []string{"renewed", "left"} {
		_, err := store.Replace(t.Context(), key, nil, []byte("a"), short)
		ok(t, err)
	}
	replaced, err := store.Replace(t.Context(), "renewed", []byte("a"), []byte("b"), time.Hour)
	ok(t, err)
	equal(t, "renewed in time", replaced, true)
	time.Sleep(short + 100*time.Millisecond)
	equal(t, "what was renewed", string(get(t, store, "renewed")), "b")
	if left := get(t, store, "left"); left != nil {
		t.Errorf("%q is left after its time", left)
	}
	put(t, store, "left", "c")
}

const racers = 64

// race runs as many calls at once, and waits for all of them.
func race(call func(racer int)) {
	var group sync.WaitGroup
	begin := make(chan struct{})
	for racer := range racers {
		group.Go(func() {
			<-begin
			call(racer)
		})
	}
	close(begin)
	group.Wait()
}

func oneCreates(t *testing.T, store donjon.RecordStore) {
	for round := range 20 {
		var created atomic.Int32
		race(func(racer int) {
			replaced, err := store.Replace(t.Context(), fmt.Sprint("key", round), nil, fmt.Append(nil, racer), time.Hour)
			if err != nil {
				t.Error(err)
			}
			if replaced {
				created.Add(1)
			}
		})
		equal(t, "creators", created.Load(), 1)
	}
}

func noChangeIsLost(t *testing.T, store donjon.RecordStore) {
	const each = 10
	race(func(int) {
		for range each {
			for {
				values, err := store.GetMany(t.Context(), []string{"counter"})
				if err != nil {
					t.Error(err)
					return
				}
				next := binary.BigEndian.AppendUint32(nil, 1)
				if values[0] != nil {
					next = binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(values[0])+1)
				}
				replaced, err := store.Replace(t.Context(), "counter", values[0], next, time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				if replaced {
					break
				}
			}
		}
	})
	equal(t, "counter", binary.BigEndian.Uint32(get(t, store, "counter")), racers*each)
}

func scan(t *testing.T, store donjon.RecordStore) {
	scanner, is := store.(donjon.RecordScanner)
	if !is {
		t.Skip("no scanner")
	}
	var want []string
	for i := range 2500 {
		put(t, store, fmt.Sprintf("{user %d}:sessions", i), "session")
		if i%2 > 0 {
			want = append(want, fmt.Sprint(i))
			put(t, store, fmt.Sprintf("{user %d}:revoked:token:%d", i, i), fmt.Sprint(i))
		}
	}
	want = append(want, "key")
	put(t, store, "revoked:key:a", "key")
	put(t, store, "revokee:key:a", "no key")
	equal(t, "found", fmt.Sprint(scanned(t, scanner, "revoked:")), fmt.Sprint(sorted(want)))
	for _, part := range []string{`*`, `?`, `[`, `]`, `\`, `[a-z]`, `s*s`, `^`} {
		equal(t, "found of "+part, len(scanned(t, scanner, part)), 0)
	}
	put(t, store, `a*b?[c]\d`, "pattern")
	equal(t, "found of a pattern", fmt.Sprint(scanned(t, scanner, `*b?[c]\`)), "[pattern]")
	for range scanner.Scan(t.Context(), "sessions") {
		break
	}
	for value, err := range scanner.Scan(expired(t), "revoked:") {
		if err == nil {
			t.Fatalf("scanned %q with a context that is over", value)
		}
	}
}

func scanned(t testing.TB, scanner donjon.RecordScanner, part string) []string {
	t.Helper()
	found := make(map[string]bool)
	for record, err := range scanner.Scan(t.Context(), part) {
		ok(t, err)
		found[string(record.Value)] = true
	}
	var values []string
	for value := range found {
		values = append(values, value)
	}
	return sorted(values)
}

func sorted(texts []string) []string {
	texts = slices.Clone(texts)
	slices.Sort(texts)
	return texts
}

// expired is a context whose time is over.
func expired(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func canceled(t *testing.T, store donjon.RecordStore) {
	if values, err := store.GetMany(expired(t), []string{"key"}); err == nil {
		t.Errorf("got %q", values)
	}
	if replaced, err := store.Replace(expired(t), "key", nil, []byte("a"), time.Hour); err == nil || replaced {
		t.Errorf("replaced %v", replaced)
	}
	if left := get(t, store, "key"); left != nil {
		t.Errorf("%q is there", left)
	}
}
