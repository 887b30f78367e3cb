package donjon

import "github.com/donjon-security/donjon/bindings/go/internal/abi"

// A StrengthProfile is a set of demands on passwords.
type StrengthProfile string

// The profiles.
const (
	// StrengthComposition demands 12 characters; upper case, lower case, a digit
	// and a special character; and that the password is not a common one.
	StrengthComposition StrengthProfile = "composition"

	// StrengthNIST is NIST SP 800-63B-4: 15 characters, and not a common one.
	StrengthNIST StrengthProfile = "nist-800-63b-4"

	// StrengthNISTWithMFA is the same where the password is one factor of
	// several: 8 characters.
	StrengthNISTWithMFA StrengthProfile = "nist-800-63b-4-mfa"
)

// A Strength is what [CheckStrength] thinks of a password.
type Strength struct {
	Valid bool    `json:"valid"` // all checks passed
	Score float64 `json:"score"` // the part of them that passed, from 0 to 1

	// Checks says which passed: of "length", "uppercase", "lowercase", "digits",
	// "special" and "common", those that the profile has. A password that is
	// common has not passed "common".
	Checks map[string]bool `json:"checks"`

	Feedback []string `json:"feedback"` // a sentence for each that failed, for the user
}

// CheckStrength checks password as profile demands; if that is empty, as
// [StrengthComposition] does. A common password is one of a list, or made of
// the user's own inputs: the name, the e-mail address. More than 16 of these, or
// one of over 256 bytes, is [ErrTooLarge], as a password of over 4096 bytes is.
func CheckStrength(password []byte, userInputs []string, profile StrengthProfile) (*Strength, error) {
	text, status := abi.PasswordStrength(string(profile), abi.Text(password), optionalList(userInputs))
	return decoded[Strength](text, failure(status))
}

// An Estimate is zxcvbn's guess at how many guesses a password withstands.
type Estimate struct {
	Score        int     `json:"score"`         // from 0, guessed at once, to 4
	GuessesLog10 float64 `json:"guesses_log10"` // the guesses, as a power of ten
	Feedback     struct {
		Warning     string   `json:"warning"` // empty if there is none
		Suggestions []string `json:"suggestions"`
	} `json:"feedback"`
}

// EstimateStrength estimates by zxcvbn, from the first 100 characters of
// password, which takes a tenth of a second or two if they were chosen to take
// long. Libraries that are built without it return [ErrUnsupported].
func EstimateStrength(password []byte, userInputs []string) (*Estimate, error) {
	text, status := abi.PasswordEstimate(abi.Text(password), optionalList(userInputs))
	return decoded[Estimate](text, failure(status))
}
