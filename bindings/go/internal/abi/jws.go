package abi

// #include <donjon.h>
import "C"

// JWSVerify is donjon_jws_verify.
func (k Keyring) JWSVerify(algorithms, jws string, now int64) (payload, alg, kid string, status int32) {
	ap, an := in(algorithms)
	p, n := in(jws)
	var info C.donjon_jws
	out, status := filled(min(len(jws), TokenMax)+keyIDMax, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_jws_verify(k.p, ap, an, p, n, C.int64_t(now), &info, out, size, written)
	})
	if status != StatusOK {
		return "", "", "", status
	}
	text := Text(out)
	payload, _ = span(info.payload).In(text)
	alg, _ = span(info.alg).In(text)
	kid, _ = span(info.key_id).In(text)
	return payload, alg, kid, status
}

// keyIDMax is how much room key ids and algorithm names may take.
const keyIDMax = 256

func span(s C.donjon_span) Span { return Span{uint32(s.offset), uint32(s.length)} }

// UnverifiedHeader is donjon_jws_unverified_header.
func UnverifiedHeader(jws string) ([]byte, int32) {
	p, n := in(jws)
	return filled(0, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_jws_unverified_header(p, n, out, size, written)
	})
}
