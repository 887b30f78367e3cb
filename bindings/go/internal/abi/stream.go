package abi

/*
#include <donjon.h>

#cgo noescape donjon_encryptor_push
#cgo nocallback donjon_encryptor_push
#cgo noescape donjon_decryptor_push
#cgo nocallback donjon_decryptor_push
*/
import "C"

// StreamBound is donjon_stream_bound.
func StreamBound(input int) int { return int(C.donjon_stream_bound(C.size_t(input))) }

// Encryptor is a donjon_encryptor.
type Encryptor struct{ p *C.donjon_encryptor }

// NewEncryptor is donjon_encryptor_new. It returns what the envelope begins with.
func (s Sealer) NewEncryptor(context string, now int64, threads uint32) (e Encryptor, prefix []byte, status int32) {
	p, n := in(context)
	prefix, status = filled(EnvelopePrefixMax, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_encryptor_new(s.p, p, n, C.int64_t(now), C.uint32_t(threads), out, size, written, &e.p)
	})
	return e, prefix, status
}

// Push is donjon_encryptor_push. It returns how much of out it filled.
func (e Encryptor) Push(plaintext string, out []byte) (int, int32) {
	p, n := in(plaintext)
	var length C.size_t
	status := int32(C.donjon_encryptor_push(e.p, p, n, start(out), C.size_t(len(out)), &length))
	return int(length), status
}

// Finish is donjon_encryptor_finish.
func (e Encryptor) Finish(out []byte) (int, int32) {
	var length C.size_t
	status := int32(C.donjon_encryptor_finish(e.p, start(out), C.size_t(len(out)), &length))
	return int(length), status
}

// Free is donjon_encryptor_free.
func (e Encryptor) Free() { C.donjon_encryptor_free(e.p) }

// Decryptor is a donjon_decryptor.
type Decryptor struct{ p *C.donjon_decryptor }

// NewDecryptor is donjon_decryptor_new. It returns how much of prefix it has
// read.
func (s Sealer) NewDecryptor(context string, now int64, threads uint32, prefix string) (d Decryptor, consumed int, status int32) {
	cp, cn := in(context)
	p, n := in(prefix)
	var length C.size_t
	status = int32(C.donjon_decryptor_new(s.p, cp, cn, C.int64_t(now), C.uint32_t(threads), p, n, &length, &d.p))
	return d, int(length), status
}

// Push is donjon_decryptor_push. It returns how much of out it filled.
func (d Decryptor) Push(sealed string, out []byte) (int, int32) {
	p, n := in(sealed)
	var length C.size_t
	status := int32(C.donjon_decryptor_push(d.p, p, n, start(out), C.size_t(len(out)), &length))
	return int(length), status
}

// Finish is donjon_decryptor_finish.
func (d Decryptor) Finish(out []byte) (int, int32) {
	var length C.size_t
	status := int32(C.donjon_decryptor_finish(d.p, start(out), C.size_t(len(out)), &length))
	return int(length), status
}

// Free is donjon_decryptor_free.
func (d Decryptor) Free() { C.donjon_decryptor_free(d.p) }
