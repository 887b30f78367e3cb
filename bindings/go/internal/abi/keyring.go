package abi

// #include <donjon.h>
import "C"

// Keyring is a donjon_keyring.
type Keyring struct{ p *C.donjon_keyring }

// KeyringGenerate is donjon_keyring_generate.
func KeyringGenerate(spec string, now int64) (k Keyring, status int32) {
	p, n := in(spec)
	status = int32(C.donjon_keyring_generate(p, n, C.int64_t(now), &k.p))
	return k, status
}

// KeyringFromJWKS is donjon_keyring_from_jwks.
func KeyringFromJWKS(jwks string) (k Keyring, status int32) {
	p, n := in(jwks)
	status = int32(C.donjon_keyring_from_jwks(p, n, &k.p))
	return k, status
}

// KeyringDiagnose is donjon_keyring_diagnose.
func KeyringDiagnose(jwks string) ([]byte, int32) {
	p, n := in(jwks)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_keyring_diagnose(p, n, out, size, written)
	})
}

// KeyringFromMaster is donjon_keyring_from_master.
func KeyringFromMaster(master, config string) (k Keyring, status int32) {
	p, n := in(master)
	cp, cn := in(config)
	status = int32(C.donjon_keyring_from_master(p, n, cp, cn, &k.p))
	return k, status
}

// KeyringFromSecret is donjon_keyring_from_secret.
func KeyringFromSecret(secret, alg, kid string) (k Keyring, status int32) {
	p, n := in(secret)
	ap, an := in(alg)
	kp, kn := in(kid)
	status = int32(C.donjon_keyring_from_secret(p, n, ap, an, kp, kn, &k.p))
	return k, status
}

// KeyringFromPEM is donjon_keyring_from_pem.
func KeyringFromPEM(pem, alg, kid string) (k Keyring, status int32) {
	p, n := in(pem)
	ap, an := in(alg)
	kp, kn := in(kid)
	status = int32(C.donjon_keyring_from_pem(p, n, ap, an, kp, kn, &k.p))
	return k, status
}

// Import is donjon_keyring_import.
func (k Keyring) Import(jwk string) (next Keyring, status int32) {
	p, n := in(jwk)
	status = int32(C.donjon_keyring_import(k.p, p, n, &next.p))
	return next, status
}

// Rotate is donjon_keyring_rotate.
func (k Keyring) Rotate(purpose, alg string, now, overlap int64) (next Keyring, status int32) {
	p, n := in(purpose)
	ap, an := in(alg)
	status = int32(C.donjon_keyring_rotate(k.p, p, n, ap, an, C.int64_t(now), C.int64_t(overlap), &next.p))
	return next, status
}

// SetStatus is donjon_keyring_set_status.
func (k Keyring) SetStatus(kid, keyStatus string, notAfter int64) (next Keyring, status int32) {
	p, n := in(kid)
	sp, sn := in(keyStatus)
	status = int32(C.donjon_keyring_set_status(k.p, p, n, sp, sn, C.int64_t(notAfter), &next.p))
	return next, status
}

// ToJWKS is donjon_keyring_to_jwks.
func (k Keyring) ToJWKS() ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_keyring_to_jwks(k.p, out, size, n)
	})
}

// PublicJWKS is donjon_keyring_public_jwks.
func (k Keyring) PublicJWKS(now int64) ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_keyring_public_jwks(k.p, C.int64_t(now), out, size, n)
	})
}

// Summary is donjon_keyring_summary.
func (k Keyring) Summary() ([]byte, int32) {
	return filled(0, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_keyring_summary(k.p, out, size, n)
	})
}

// Free is donjon_keyring_free.
func (k Keyring) Free() { C.donjon_keyring_free(k.p) }
