package abi

// #include <donjon.h>
import "C"

// The statuses that package donjon needs by name.
const (
	StatusOK               = C.DONJON_OK
	StatusBufferTooSmall   = C.DONJON_BUFFER_TOO_SMALL
	StatusTooLarge         = C.DONJON_TOO_LARGE
	StatusUnsupported      = C.DONJON_UNSUPPORTED
	StatusPermissionDenied = C.DONJON_PERMISSION_DENIED
)

// Version returns the kernel's version.
func Version() string { return C.GoString(C.donjon_version()) }

// StatusName returns the pinned name of status.
func StatusName(status int32) string { return C.GoString(C.donjon_status_str(C.int32_t(status))) }

// StatusMessage returns the operator's sentence about status.
func StatusMessage(status int32) string {
	return C.GoString(C.donjon_status_message(C.int32_t(status)))
}

// StatusHTTP returns what a web service answers on status.
func StatusHTTP(status int32) int { return int(C.donjon_status_http(C.int32_t(status))) }
