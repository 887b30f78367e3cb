package abi

// #include <donjon.h>
import "C"

// NoTTL is the age of a Fernet token that is not looked at.
const NoTTL = C.DONJON_NO_TTL

// Fernet is a donjon_fernet.
type Fernet struct{ p *C.donjon_fernet }

// NewFernet is donjon_fernet_new. Several keys are separated by commas.
func NewFernet(keys string) (f Fernet, status int32) {
	p, n := in(keys)
	status = int32(C.donjon_fernet_new(p, n, &f.p))
	return f, status
}

// Encrypt is donjon_fernet_encrypt.
func (f Fernet) Encrypt(plaintext string, now int64) (string, int32) {
	p, n := in(plaintext)
	size := C.donjon_fernet_token_len(n)
	token, status := filled(int(size), func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_fernet_encrypt(f.p, C.int64_t(now), p, n, out, size, written)
	})
	return Text(token), status
}

// Decrypt is donjon_fernet_decrypt.
func (f Fernet) Decrypt(token string, ttl, now int64) ([]byte, int32) {
	p, n := in(token)
	return filled(len(token), func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_fernet_decrypt(f.p, C.int64_t(now), C.int64_t(ttl), p, n, out, size, written)
	})
}

// Rotate is donjon_fernet_rotate.
func (f Fernet) Rotate(token string) (string, int32) {
	p, n := in(token)
	rotated, status := filled(len(token), func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_fernet_rotate(f.p, p, n, out, size, written)
	})
	return Text(rotated), status
}

// Timestamp is donjon_fernet_timestamp.
func (f Fernet) Timestamp(token string) (int64, int32) {
	p, n := in(token)
	var made C.int64_t
	status := int32(C.donjon_fernet_timestamp(f.p, p, n, &made))
	return int64(made), status
}

// Free is donjon_fernet_free.
func (f Fernet) Free() { C.donjon_fernet_free(f.p) }

// FernetGenerateKey is donjon_fernet_generate_key.
func FernetGenerateKey() (string, int32) {
	key, status := filled(C.DONJON_FERNET_KEY_LEN, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_fernet_generate_key(out, size, n)
	})
	return Text(key), status
}

// FernetDeriveKey is donjon_fernet_derive_key.
func FernetDeriveKey(password, salt string, iterations uint32) (string, int32) {
	pp, pn := in(password)
	sp, sn := in(salt)
	key, status := filled(C.DONJON_FERNET_KEY_LEN, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_fernet_derive_key(pp, pn, sp, sn, C.uint32_t(iterations), out, size, n)
	})
	return Text(key), status
}
