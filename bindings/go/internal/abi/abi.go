// Package abi is the C ABI of the kernel as Go functions, one for one, one file
// per noun of the header. All calls through cgo of this module are here, and all
// uses of unsafe: in this file, where memory crosses, and in claims.go, which the
// kernel fills in place.
//
// Inputs are strings, which the kernel reads in place and never keeps, and it
// never calls back into Go. Statuses are the kernel's numbers; everything else
// that a function returns means nothing unless the status is [StatusOK].
// Handles have no owner here: package donjon sees to it that none is used after
// it was freed.
package abi

// #include <donjon.h>
import "C"

import (
	"fmt"
	"unsafe"
)

// Bounds, and the time that is none.
const (
	Never    = int64(C.DONJON_NEVER)
	TokenMax = C.DONJON_TOKEN_MAX
)

func init() {
	if got := C.donjon_abi_version(); got != C.DONJON_ABI_VERSION {
		panic(fmt.Sprintf("donjon: the library speaks ABI version %d, this package %d", got, C.DONJON_ABI_VERSION))
	}
}

// Text views b as a string without copying it. The caller must not change b
// for as long as it uses the string.
func Text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// in is how the ABI takes a text: where it starts and how long it is.
func in(s string) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.StringData(s)), C.size_t(len(s))
}

// start is where an output buffer starts.
func start(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(b)) }

// copied copies an array of a verdict.
func copied(array *C.uint8_t, size C.int) []byte { return C.GoBytes(unsafe.Pointer(array), size) }

// filled calls with a buffer of size bytes, and once more with what the kernel
// asks for if that is too small.
func filled(size int, call func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t) ([]byte, int32) {
	out := make([]byte, size)
	var n C.size_t
	status := call(start(out), C.size_t(len(out)), &n)
	if status == C.DONJON_BUFFER_TOO_SMALL {
		out = make([]byte, n)
		status = call(start(out), C.size_t(len(out)), &n)
	}
	if status != C.DONJON_OK {
		return nil, int32(status)
	}
	return out[:n], StatusOK
}

// room makes a buffer for a token that needs at most bound bytes. The kernel
// makes no token that needs more than two of the longest.
func room(bound C.size_t) ([]byte, int32) {
	if bound > 2*TokenMax {
		return nil, StatusTooLarge
	}
	return make([]byte, bound), StatusOK
}

// written is the text that the kernel wrote to out.
func written(out []byte, n C.size_t, status C.int32_t) (string, int32) {
	if status != C.DONJON_OK {
		return "", int32(status)
	}
	return Text(out[:n]), StatusOK
}
