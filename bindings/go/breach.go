package donjon

import "github.com/donjon-security/donjon/bindings/go/internal/abi"

// BreachPrefix returns what a service of breached passwords, such as Have I
// Been Pwned, is asked for: the first five hexadecimal digits of the password's
// SHA-1. Some thousand passwords share them. The request is the caller's:
//
//	GET https://api.pwnedpasswords.com/range/{prefix}
//	Add-Padding: true
func BreachPrefix(password []byte) (string, error) {
	prefix, status := abi.PasswordBreachPrefix(abi.Text(password))
	return prefix, failure(status)
}

// BreachCount returns how often the password was found in breaches, as answer
// says, which is what the service answered for its prefix. Anything else than
// such an answer is [ErrMalformed], lest an error page read as "never".
func BreachCount(password, answer []byte) (uint64, error) {
	count, status := abi.PasswordBreachCount(abi.Text(password), abi.Text(answer))
	return count, failure(status)
}
