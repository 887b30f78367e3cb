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
