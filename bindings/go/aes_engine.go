package donjon

import "github.com/donjon-security/donjon/bindings/go/internal/abi"

// An AESEnginePadding is how sqlalchemy-utils filled up the last block.
type AESEnginePadding uint32

// The paddings.
const (
	PaddingPKCS5        AESEnginePadding = 0 // "pkcs5"
	PaddingNaive        AESEnginePadding = 1 // "naive", the library's default
	PaddingOneAndZeroes AESEnginePadding = 2 // "oneandzeroes"
	PaddingZeroes       AESEnginePadding = 3 // "zeroes"
)

// OpenAESEngine returns what is in a column that sqlalchemy-utils encrypted with its
// AesEngine, to be sealed anew: nothing in it tells whether it was changed, or has
// been moved, so [ErrDecryptFailed] is said of some wrong keys and texts only.
func OpenAESEngine(secret []byte, padding AESEnginePadding, text string) ([]byte, error) {
	plaintext, status := abi.AESEngineOpen(abi.Text(secret), uint32(padding), text)
	return plaintext, failure(status)
}
