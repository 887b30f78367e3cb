package donjon_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

// aesEngine does as sqlalchemy-utils does, with padding of PKCS #5.
func aesEngine(t testing.TB, secret, plaintext string) string {
	t.Helper()
	key := sha256.Sum256([]byte(secret))
	block, err := aes.NewCipher(key[:])
	ok(t, err)
	pad := aes.BlockSize - len(plaintext)%aes.BlockSize
	padded := append([]byte(plaintext), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, key[:aes.BlockSize]).CryptBlocks(padded, padded)
	return base64.StdEncoding.EncodeToString(padded)
}

func TestColumnsOfSQLAlchemyUtilsAreRead(t *testing.T) {
	for _, plaintext := range []string{"", "secret", "exactly 16 bytes", "smørrebrød", "a text of more than a block"} {
		opened, err := donjon.OpenAESEngine([]byte("key"), donjon.PaddingPKCS5, aesEngine(t, "key", plaintext))
		ok(t, err)
		equal(t, "opened", string(opened), plaintext)
	}
	if _, err := donjon.OpenAESEngine([]byte("key"), 9, ""); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("an unknown padding: %v", err)
	}
	for _, text := range hostile {
		if _, err := donjon.OpenAESEngine([]byte("key"), donjon.PaddingPKCS5, text); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%q: %v", text[:min(len(text), 20)], err)
		}
	}
}
