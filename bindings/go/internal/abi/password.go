package abi

// #include <donjon.h>
import "C"

// answerSize holds most of the kernel's JSON answers, which are otherwise asked
// for twice.
const answerSize = 512

// PasswordStrength is donjon_password_strength.
func PasswordStrength(profile, password, userInputs string) ([]byte, int32) {
	fp, fn := in(profile)
	pp, pn := in(password)
	up, un := in(userInputs)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_password_strength(fp, fn, pp, pn, up, un, out, size, n)
	})
}

// PasswordEstimate is donjon_password_estimate.
func PasswordEstimate(password, userInputs string) ([]byte, int32) {
	pp, pn := in(password)
	up, un := in(userInputs)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, n *C.size_t) C.int32_t {
		return C.donjon_password_estimate(pp, pn, up, un, out, size, n)
	})
}

// PasswordBreachPrefix is donjon_password_breach_prefix.
func PasswordBreachPrefix(password string) (string, int32) {
	p, n := in(password)
	prefix, status := filled(5, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_password_breach_prefix(p, n, out, size, written)
	})
	return Text(prefix), status
}

// PasswordBreachCount is donjon_password_breach_count.
func PasswordBreachCount(password, answer string) (uint64, int32) {
	p, n := in(password)
	ap, an := in(answer)
	var count C.uint64_t
	status := int32(C.donjon_password_breach_count(p, n, ap, an, &count))
	return uint64(count), status
}
