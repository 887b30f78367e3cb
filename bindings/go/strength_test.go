package donjon_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestStrengthSaysWhichChecksFailed(t *testing.T) {
	strength, err := donjon.CheckStrength([]byte("Password123!"), nil, "")
	ok(t, err)
	equal(t, "valid", strength.Valid, false)
	equal(t, "score", strength.Score, 5.0/6)
	equal(t, "number of checks", len(strength.Checks), 6)
	equal(t, "number of sentences", len(strength.Feedback), 1)
	for name, passed := range strength.Checks {
		equal(t, name, passed, name != "common")
	}

	strength, err = donjon.CheckStrength([]byte("tR9#kelpie-Umbra"), nil, donjon.StrengthComposition)
	ok(t, err)
	equal(t, "valid", strength.Valid, true)
	equal(t, "score", strength.Score, 1)
	equal(t, "number of sentences", len(strength.Feedback), 0)
}

func TestProfilesDemandDifferentThings(t *testing.T) {
	for _, c := range []struct {
		password                   string
		composition, nist, withMFA bool
	}{
		{"umbra kelpie ninefold", false, true, true}, // long, of one class
		{"umbrakelpi", false, false, true},
		{"tR9#kelpie-U", true, false, true},
		{"qwertyuiop", false, false, false},
		{strings.Repeat("umbra kelpie ", 10), false, true, true}, // 130 characters
	} {
		for profile, want := range map[donjon.StrengthProfile]bool{
			donjon.StrengthComposition: c.composition, donjon.StrengthNIST: c.nist, donjon.StrengthNISTWithMFA: c.withMFA,
		} {
			strength, err := donjon.CheckStrength([]byte(c.password), nil, profile)
			ok(t, err)
			equal(t, c.password+" for "+string(profile), strength.Valid, want)
		}
	}
}

func TestPasswordOfTheUsersOwnNameIsCommon(t *testing.T) {
	password := []byte("Annabel.Lovelace1!")
	strength, err := donjon.CheckStrength(password, []string{"Annabel Lovelace", "annabel.lovelace@example.com"}, "")
	ok(t, err)
	equal(t, "uncommon", strength.Checks["common"], false)
	strength, err = donjon.CheckStrength(password, []string{"Bob", ""}, "")
	ok(t, err)
	equal(t, "uncommon, for another", strength.Checks["common"], true)
}

func TestStrengthRefusesWhatIsNoPassword(t *testing.T) {
	inputs := make([]string, 17)
	for name, c := range map[string]struct {
		password string
		inputs   []string
		profile  donjon.StrengthProfile
		want     error
	}{
		"a megabyte":      {strings.Repeat("a", 1<<20), nil, "", donjon.ErrTooLarge},
		"not UTF-8":       {"\xff", nil, "", donjon.ErrMalformed},
		"too many inputs": {"a", inputs, "", donjon.ErrTooLarge},
		"a huge input":    {"a", []string{strings.Repeat("a", 257)}, "", donjon.ErrTooLarge},
		"no such profile": {"a", nil, "strict", donjon.ErrInvalidArgument},
		"input not UTF-8": {"a", []string{"\xff"}, "", donjon.ErrMalformed},
	} {
		if _, err := donjon.CheckStrength([]byte(c.password), c.inputs, c.profile); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEstimateIsThereOrUnsupported(t *testing.T) {
	weak, err := donjon.EstimateStrength([]byte("password"), nil)
	if errors.Is(err, donjon.ErrUnsupported) {
		t.Skip("the library is built without zxcvbn")
	}
	ok(t, err)
	equal(t, "score", weak.Score, 0)
	strong, err := donjon.EstimateStrength([]byte("tR9#kelpie-Umbra"), []string{"ann"})
	ok(t, err)
	if strong.Score <= weak.Score || strong.GuessesLog10 <= weak.GuessesLog10 {
		t.Errorf("%+v is no stronger than %+v", strong, weak)
	}
}

// SHA-1 of "password" is 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8.
func TestBreachedPasswordIsFoundInTheAnswer(t *testing.T) {
	password := []byte("password")
	prefix, err := donjon.BreachPrefix(password)
	ok(t, err)
	equal(t, "prefix", prefix, "5BAA6")
	const other, suffix = "0018A45C4D1DEF81644B54AB7F969B88D65:1", "1E4C9B93F3F0682250B6CF8331B7EE68FD8"
	for answer, want := range map[string]uint64{
		other + "\r\n" + suffix + ":9545824\r\n":            9545824,
		other + "\n" + strings.ToLower(suffix) + ":9545824": 9545824,
		other + "\r\n":                 0,
		other + "\r\n" + suffix + ":0": 0, // padding
	} {
		count, err := donjon.BreachCount(password, []byte(answer))
		ok(t, err)
		equal(t, "count", count, want)
	}
	for answer, want := range map[string]error{
		"<html>too many requests</html>": donjon.ErrMalformed,
		suffix:                           donjon.ErrMalformed,
		suffix + ":":                     donjon.ErrMalformed,
		suffix + ":-1":                   donjon.ErrMalformed,
		suffix + ":1\r\n<html>":          donjon.ErrMalformed,
		strings.Repeat(other+"\r\n", 1<<20/len(other)): donjon.ErrTooLarge,
	} {
		if _, err := donjon.BreachCount(password, []byte(answer)); !errors.Is(err, want) {
			t.Errorf("%.40q: %v", answer, err)
		}
	}
	if _, err := donjon.BreachPrefix(make([]byte, 1<<20)); !errors.Is(err, donjon.ErrTooLarge) {
		t.Error(err)
	}
}
