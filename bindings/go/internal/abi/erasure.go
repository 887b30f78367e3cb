package abi

// #include <donjon.h>
import "C"

// Erasure is donjon_erasure. Key ids are a JSON list.
func (k Keyring) Erasure(keyIDs string, backupsExpire, now int64) ([]byte, int32) {
	p, n := in(keyIDs)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_erasure(k.p, p, n, C.int64_t(backupsExpire), C.int64_t(now), out, size, written)
	})
}
