package abi

// #include <donjon.h>
import "C"

// AESEngineOpen is donjon_aes_engine_open.
func AESEngineOpen(secret string, padding uint32, text string) ([]byte, int32) {
	sp, sn := in(secret)
	p, n := in(text)
	return filled(len(text), func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_aes_engine_open(sp, sn, C.uint32_t(padding), p, n, out, size, written)
	})
}
