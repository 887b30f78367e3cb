package abi

// #include <donjon.h>
import "C"

// ChunkedSeal is donjon_chunked_seal.
func ChunkedSeal(key, context, plaintext string) ([]byte, int32) {
	kp, kn := in(key)
	cp, cn := in(context)
	p, n := in(plaintext)
	return filled(StreamBound(len(plaintext)), func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_chunked_seal(kp, kn, cp, cn, p, n, out, size, written)
	})
}

// ChunkedOpen is donjon_chunked_open.
func ChunkedOpen(key, context, message string) ([]byte, int32) {
	kp, kn := in(key)
	cp, cn := in(context)
	p, n := in(message)
	return filled(len(message), func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_chunked_open(kp, kn, cp, cn, p, n, out, size, written)
	})
}
