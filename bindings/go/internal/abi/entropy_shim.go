//go:build donjon_shim

package abi

// #include <donjon.h>
import "C"

import "runtime"

// WithEntropy runs f with entropy in place of the operating system's
// randomness. It exists in libraries built for the conformance shim only.
func WithEntropy(entropy []byte, f func()) int32 {
	// The bytes belong to the thread, so f has to stay on it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	if status := C.donjon_test_entropy(start(entropy), C.size_t(len(entropy))); status != C.DONJON_OK {
		return int32(status)
	}
	defer C.donjon_test_entropy(nil, 0)
	f()
	return StatusOK
}
