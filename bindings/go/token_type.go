package donjon

// A TokenType is what a token is for, as in the header parameter "typ". A token
// of one type never passes for another.
type TokenType string

// The types that an [Issuer] mints. The type of a purpose token is its purpose
// followed by "+jwt".
const (
	AccessToken  TokenType = "at+jwt" // RFC 9068
	RefreshToken TokenType = "rt+jwt"
)
