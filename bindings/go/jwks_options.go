package donjon

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// JWKSOptions say where a [JWKSClient] gets its keys and what it expects of the
// tokens.
type JWKSOptions struct {
	// URL is where the issuer publishes its keys. It is an https URL.
	URL       string
	AllowHTTP bool // permits http, for tests on the loopback

	// Verifier is what the tokens must be. HMAC algorithms are refused: a secret
	// that is published is none.
	Verifier VerifierOptions

	// Cooldown is the least time between two fetches, which failures in a row
	// lengthen; if zero, 30 seconds.
	Cooldown time.Duration

	// MaxAge is when a key set is fetched anew in any case, at the next token;
	// until it is there, the old one serves. If zero, ten minutes.
	MaxAge time.Duration

	// Timeout bounds a fetch as a whole; if zero, 5 seconds.
	Timeout time.Duration

	// MaxBytes bounds the key set; if zero, 256 KiB.
	MaxBytes int64

	// Transport makes the requests; if nil, [http.DefaultTransport]. Redirects
	// are never followed.
	Transport http.RoundTripper

	// Logger is told of fetches that failed. Of the URL it is told the host.
	Logger *slog.Logger
}

// checked returns the options with their defaults filled in.
func (o JWKSOptions) checked() (JWKSOptions, error) {
	target, err := url.Parse(o.URL)
	if err != nil || target.Host == "" || target.Scheme != "https" && !(o.AllowHTTP && target.Scheme == "http") {
		return o, misconfigured("url", "not an https URL")
	}
	for _, algorithm := range o.Verifier.Algorithms {
		if algorithm == HS256 || algorithm == HS384 || algorithm == HS512 {
			return o, misconfigured("algorithms", "a secret that is published is none")
		}
	}
	if o.Cooldown == 0 {
		o.Cooldown = 30 * time.Second
	}
	if o.MaxAge == 0 {
		o.MaxAge = 10 * time.Minute
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 256 << 10
	}
	if o.Timeout < 0 || o.MaxBytes < 0 {
		return o, misconfigured("", "a bound is negative")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
