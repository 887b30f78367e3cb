package donjon

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestWaitForASlotEndsInBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1, 3*time.Second)
		if err := s.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := s.take(t.Context()); !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("waited %v", waited)
		}
		s.giveBack()
		if err := s.take(t.Context()); err != nil {
			t.Errorf("after a slot was given back: %v", err)
		}
	})
}

func TestWaitForASlotEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1, time.Minute)
		if err := s.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := s.take(ctx); err != context.DeadlineExceeded {
			t.Error(err)
		}
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("waited %v", waited)
		}

		cancelled, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(time.Second)
			cancel()
		}()
		if err := s.take(cancelled); err != context.Canceled {
			t.Error(err)
		}
	})
}

func TestDoneContextTakesNoFreeSlot(t *testing.T) {
	s := newSlots(1, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if err := s.take(ctx); err != context.Canceled {
			t.Fatal(err)
		}
	}
}

func TestWhoDoesNotWaitIsBusyAtOnce(t *testing.T) {
	s := newSlots(1, 0)
	for _, want := range []error{nil, ErrBusy, ErrBusy} {
		if err := s.take(t.Context()); err != want {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestSlotsAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1, time.Minute)
		if err := s.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		var order []int
		for i := range 8 {
			go func() {
				if err := s.take(t.Context()); err != nil {
					t.Error(err)
				}
				order = append(order, i)
				s.giveBack()
			}()
			synctest.Wait()
		}
		s.giveBack()
		synctest.Wait()
		for i, got := range order {
			if got != i {
				t.Fatalf("served %v", order)
			}
		}
		if len(order) != 8 {
			t.Errorf("served %v", order)
		}
	})
}

func TestHasherWaitsAsLongAsItIsTold(t *testing.T) {
	parsed := func(config string) (*Hasher, error) { return ParseHasher(nil, []byte(config)) }
	for name, c := range map[string]struct {
		make func() (*Hasher, error)
		want time.Duration
	}{
		"by default":              {func() (*Hasher, error) { return NewHasher(HasherOptions{}) }, 10 * time.Second},
		"a while":                 {func() (*Hasher, error) { return NewHasher(HasherOptions{MaxWait: 1500 * time.Millisecond}) }, 1500 * time.Millisecond},
		"not at all":              {func() (*Hasher, error) { return NewHasher(HasherOptions{NoWait: true}) }, 0},
		"a document's default":    {func() (*Hasher, error) { return parsed("") }, 10 * time.Second},
		"a document's while":      {func() (*Hasher, error) { return parsed(`{"max_wait_ms":1500}`) }, 1500 * time.Millisecond},
		"a document's not at all": {func() (*Hasher, error) { return parsed(`{"max_wait_ms":0}`) }, 0},
	} {
		hasher, err := c.make()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := hasher.slots.maxWait; got != c.want {
			t.Errorf("%s: waits %v, want %v", name, got, c.want)
		}
		hasher.Close()
	}
}
