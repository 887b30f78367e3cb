package donjon_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// The vectors of the specification, https://github.com/fernet/spec.
const (
	fernetKey   = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
	fernetToken = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
)

var fernetTime = time.Unix(499_162_800, 0) // 1985-10-26T01:20:00-07:00

func newFernet(t testing.TB, keys ...string) *donjon.Fernet {
	t.Helper()
	f, err := donjon.NewFernet(keys...)
	ok(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestTokenOfTheSpecificationIsRead(t *testing.T) {
	f := newFernet(t, fernetKey)
	plaintext, err := f.DecryptAt(fernetToken, time.Minute, fernetTime.Add(time.Second))
	ok(t, err)
	equal(t, "plaintext", string(plaintext), "hello")
	made, err := f.Timestamp(fernetToken)
	ok(t, err)
	equal(t, "timestamp", made, fernetTime)
	for name, c := range map[string]struct {
		ttl  time.Duration
		now  time.Time
		want error
	}{
		"old, of any age": {donjon.NoTTL, time.Now(), nil},
		"old":             {time.Minute, fernetTime.Add(time.Hour), donjon.ErrDecryptFailed},
		"of the future":   {time.Minute, fernetTime.Add(-time.Hour), donjon.ErrDecryptFailed},
		"half a second":   {time.Second / 2, fernetTime, donjon.ErrInvalidArgument},
		"a negative age":  {-time.Second, fernetTime, donjon.ErrInvalidArgument},
		"no time":         {donjon.NoTTL, time.Time{}, donjon.ErrInvalidArgument},
	} {
		if _, err := f.DecryptAt(fernetToken, c.ttl, c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestTokensAreRotatedToTheFirstKey(t *testing.T) {
	key, err := donjon.GenerateFernetKey()
	ok(t, err)
	both, newer, older := newFernet(t, key, fernetKey), newFernet(t, key), newFernet(t, fernetKey)
	rotated, err := both.Rotate(fernetToken)
	ok(t, err)
	plaintext, err := newer.Decrypt(rotated, donjon.NoTTL)
	ok(t, err)
	equal(t, "plaintext", string(plaintext), "hello")
	made, err := newer.Timestamp(rotated)
	ok(t, err)
	equal(t, "timestamp", made, fernetTime)
	for _, size := range sizes {
		token, err := both.Encrypt(text(size))
		ok(t, err)
		plaintext, err := newer.Decrypt(token, time.Minute)
		ok(t, err)
		same(t, "plaintext", plaintext, text(size))
		if _, err := older.Decrypt(token, time.Minute); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("by the other key: %v", err)
		}
	}
}

func TestBadTokensAreOneError(t *testing.T) {
	f := newFernet(t, fernetKey)
	for i := range fernetToken {
		changed := []byte(fernetToken)
		changed[i] ^= 1
		for _, token := range []string{string(changed), fernetToken[:i], fernetToken[:i] + "\n" + fernetToken[i:]} {
			if plaintext, err := f.Decrypt(token, donjon.NoTTL); !errors.Is(err, donjon.ErrDecryptFailed) || plaintext != nil {
				t.Errorf("%s: %v", token, err)
			}
		}
	}
	for _, token := range hostile {
		_, decrypting := f.Decrypt(token, time.Minute)
		_, rotating := f.Rotate(token)
		_, reading := f.Timestamp(token)
		for _, err := range []error{decrypting, rotating, reading} {
			if !errors.Is(err, donjon.ErrDecryptFailed) {
				t.Errorf("%q: %v", token[:min(len(token), 20)], err)
			}
		}
	}
	for _, keys := range [][]string{nil, {""}, {fernetKey[1:]}, {fernetKey, "short"}, {strings.TrimRight(fernetKey, "=")}, {fernetKey + "\n"}} {
		if _, err := donjon.NewFernet(keys...); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("keys %q: %v", keys, err)
		}
	}
}

// As PBKDF2HMAC(SHA256(), 32, salt, 100000).derive(password) of Python's
// cryptography, base64url-encoded.
func TestKeyIsDerivedFromAPassword(t *testing.T) {
	key, err := donjon.DeriveFernetKey([]byte("password"), []byte("salt"), 1)
	ok(t, err)
	equal(t, "key", key, "Eg-2z_z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs=")
	newFernet(t, key)
	for _, iterations := range []uint32{0, 1<<32 - 1} {
		if _, err := donjon.DeriveFernetKey(nil, nil, iterations); !errors.Is(err, donjon.ErrParamsOutOfBounds) {
			t.Errorf("%d iterations: %v", iterations, err)
		}
	}
}
