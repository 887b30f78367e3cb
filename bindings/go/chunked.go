package donjon

import "github.com/donjon-security/donjon/bindings/go/internal/abi"

// ChunkedSeal seals plaintext with C2SP chunked-encryption, instance
// Cobblestone-256 (https://c2sp.org/chunked-encryption), under a key of 32 bytes: the
// construction that envelopes are made of, for exchange with other programs.
// The context is any bytes. To keep data, use a [Sealer].
func ChunkedSeal(key, context, plaintext []byte) ([]byte, error) {
	message, status := abi.ChunkedSeal(abi.Text(key), abi.Text(context), abi.Text(plaintext))
	return message, failure(status)
}

// ChunkedOpen opens what [ChunkedSeal] sealed, with the same key and context.
func ChunkedOpen(key, context, message []byte) ([]byte, error) {
	plaintext, status := abi.ChunkedOpen(abi.Text(key), abi.Text(context), abi.Text(message))
	return plaintext, failure(status)
}
