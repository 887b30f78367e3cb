package donjon

import "runtime"

// kept is an object of the kernel that nobody closes: it is freed when it has
// become unreachable. Who calls the kernel with the object keeps it alive until
// the call has returned.
type kept[T any] struct {
	object T
}

func keep[T any](object T, free func(T)) *kept[T] {
	k := &kept[T]{object}
	runtime.AddCleanup(k, free, object)
	return k
}
