package abi

// #include <donjon.h>
import "C"

// DataKeyNew is donjon_data_key_new. It returns the wrapped key as well.
func (s Sealer) DataKeyNew(scope string, now int64) (key Sealer, wrapped []byte, status int32) {
	p, n := in(scope)
	wrapped, status = filled(EnvelopePrefixMax, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_data_key_new(s.p, p, n, C.int64_t(now), out, size, written, &key.p)
	})
	return key, wrapped, status
}

// DataKeyOpen is donjon_data_key_open.
func (s Sealer) DataKeyOpen(scope string, now int64, wrapped string) (key Sealer, status int32) {
	p, n := in(scope)
	wp, wn := in(wrapped)
	status = int32(C.donjon_data_key_open(s.p, p, n, C.int64_t(now), wp, wn, &key.p))
	return key, status
}

// DataKeyRewrap is donjon_data_key_rewrap.
func (s Sealer) DataKeyRewrap(to Sealer, scope string, now int64, wrapped string) ([]byte, int32) {
	p, n := in(scope)
	wp, wn := in(wrapped)
	return filled(EnvelopePrefixMax, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_data_key_rewrap(s.p, to.p, p, n, C.int64_t(now), wp, wn, out, size, written)
	})
}
