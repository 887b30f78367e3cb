package donjon

import (
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// MasterEnv is the customary name of the environment variable that holds the
// master secret.
const MasterEnv = "DONJON_MASTER"

// GenerateKeyring makes a keyring of new keys from the operating system's
// randomness: for each purpose in algorithms the primary key and the next one.
// Without algorithms, the purposes are [PurposeToken], with [EdDSA] keys, and
// [PurposeStateBinding].
func GenerateKeyring(algorithms map[Purpose]Algorithm) (*Keyring, error) {
	var spec document
	for purpose, algorithm := range algorithms {
		spec.string(string(purpose), string(algorithm))
	}
	return newKeyring(abi.KeyringGenerate(spec.end(), time.Now().Unix()))
}

// ParseKeyring reads a JWK Set (RFC 7517): one that [Keyring.SecretJWKS] wrote,
// or the one that an issuer publishes. Of the latter, keys of types that donjon
// does not know are skipped. The error of a set that is refused is a
// [*ConfigError], which says which key and why.
func ParseKeyring(jwks []byte) (*Keyring, error) {
	text := abi.Text(jwks)
	k, status := abi.KeyringFromJWKS(text)
	err := accepted(status, func() ([]byte, int32) { return abi.KeyringDiagnose(text) })
	if err != nil {
		return nil, err
	}
	return newKeyring(k, status)
}

// An Epoch says which keys of a purpose are derived from a master secret. The
// key of the epoch Current is primary, the next one is already published, and
// those from Oldest on still verify.
type Epoch struct {
	Purpose   Purpose
	Algorithm Algorithm
	Current   uint32
	Oldest    uint32   // if zero, Current
	Disabled  []uint32 // epochs whose keys are refused
}

// KeyringFromMaster derives a keyring from a master secret: the base64url text
// of at least 32 random bytes. Without epochs, the keyring has the first keys
// of the kernel's default purposes.
func KeyringFromMaster(master string, epochs ...Epoch) (*Keyring, error) {
	return newKeyring(abi.KeyringFromMaster(master, masterConfig(epochs)))
}

// KeyringFromEnv is [KeyringFromMaster] of the environment variable with this
// name, such as [MasterEnv]. That it is not set is [ErrConfig].
func KeyringFromEnv(name string, epochs ...Epoch) (*Keyring, error) {
	master, ok := os.LookupEnv(name)
	if !ok {
		return nil, misconfigured(name, "the environment variable is not set")
	}
	return KeyringFromMaster(master, epochs...)
}

// KeyringFromSecret makes a keyring of one HMAC secret, the primary key for
// tokens. The key has no id if keyID is empty.
func KeyringFromSecret(secret []byte, algorithm Algorithm, keyID string) (*Keyring, error) {
	return newKeyring(abi.KeyringFromSecret(abi.Text(secret), string(algorithm), keyID))
}

// KeyringFromPEM makes a keyring of one PEM-encoded key for tokens. A private
// key (PKCS #8, SEC 1) signs and verifies, a public one (SPKI, PKCS #1)
// verifies. The key has no id if keyID is empty.
func KeyringFromPEM(pem []byte, algorithm Algorithm, keyID string) (*Keyring, error) {
	return newKeyring(abi.KeyringFromPEM(abi.Text(pem), string(algorithm), keyID))
}

func masterConfig(epochs []Epoch) string {
	if len(epochs) == 0 {
		return ""
	}
	list := make([]string, len(epochs))
	for i, epoch := range epochs {
		list[i] = epoch.document()
	}
	var config document
	config.raw("keys", "["+strings.Join(list, ",")+"]")
	return config.end()
}

func (e Epoch) document() string {
	var d document
	d.string("purpose", string(e.Purpose))
	d.string("alg", string(e.Algorithm))
	d.number("epoch", int64(e.Current))
	if e.Oldest != 0 {
		d.number("oldest", int64(e.Oldest))
	}
	if len(e.Disabled) > 0 {
		disabled, _ := json.Marshal(e.Disabled) // numbers: cannot fail
		d.raw("disabled", string(disabled))
	}
	return d.end()
}
