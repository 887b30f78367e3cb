package donjon

import (
	"runtime"
	"sync/atomic"
)

// A handle owns one object of the kernel. Calls borrow the object; it is freed
// when its owner has closed it and the last borrower has returned it, so that
// closing during a call frees nothing under the call's feet.
type handle[T any] struct {
	object T
	free   func(T)
	closed atomic.Bool
	users  atomic.Int64 // the borrowers, and the owner until it closes
}

// own makes a handle that is closed, at the latest, when owner has become
// unreachable.
func own[O, T any](owner *O, object T, free func(T)) *handle[T] {
	h := hold(object, free)
	// By then the owner may have closed it, and calls may still be running:
	// close and giveBack settle that among themselves, in whichever order.
	runtime.AddCleanup(owner, (*handle[T]).close, h)
	return h
}

// hold makes a handle that its owner is sure to close.
func hold[T any](object T, free func(T)) *handle[T] {
	h := &handle[T]{object: object, free: free}
	h.users.Store(1)
	return h
}

// borrow returns the object for one call, which ends with giveBack.
func (h *handle[T]) borrow() (object T, err error) {
	if h == nil {
		return object, ErrClosed
	}
	for {
		n := h.users.Load()
		if n == 0 || h.closed.Load() {
			return object, ErrClosed
		}
		if h.users.CompareAndSwap(n, n+1) {
			return h.object, nil
		}
	}
}

func (h *handle[T]) giveBack() {
	if h.users.Add(-1) == 0 {
		h.free(h.object)
	}
}

func (h *handle[T]) close() {
	if h != nil && !h.closed.Swap(true) {
		h.giveBack()
	}
}
