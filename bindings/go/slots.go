package donjon

import (
	"context"
	"time"
)

// slots bound how many hashes run at once. Who waits for one here holds a
// goroutine; who waited for memory in the kernel would hold a thread.
type slots struct {
	taken   chan struct{}
	maxWait time.Duration
}

func newSlots(n int, maxWait time.Duration) *slots {
	return &slots{taken: make(chan struct{}, n), maxWait: maxWait}
}

// take waits for a slot, which giveBack returns: as long as ctx lets it and no
// longer than maxWait, which ends in [ErrBusy]. Waiters are served in order.
func (s *slots) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.taken <- struct{}{}:
		return nil
	default:
	}
	timeout := time.NewTimer(s.maxWait)
	defer timeout.Stop()
	select {
	case s.taken <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return ErrBusy
	}
}

func (s *slots) giveBack() { <-s.taken }
