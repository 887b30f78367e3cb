package donjon

// An Algorithm names how a token is signed, as in the header parameter "alg".
type Algorithm string

// The algorithms. Those marked so only verify, for the tokens of identity
// providers.
const (
	HS256 Algorithm = "HS256" // HMAC with SHA-256
	HS384 Algorithm = "HS384" // HMAC with SHA-384
	HS512 Algorithm = "HS512" // HMAC with SHA-512
	ES256 Algorithm = "ES256" // ECDSA on P-256
	EdDSA Algorithm = "EdDSA" // Ed25519
	ES384 Algorithm = "ES384" // ECDSA on P-384; verifies only
	RS256 Algorithm = "RS256" // RSA PKCS #1 v1.5 with SHA-256; verifies only
	PS256 Algorithm = "PS256" // RSA-PSS with SHA-256; verifies only
)
