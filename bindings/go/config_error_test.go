package donjon_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestRefusedConfigurationSaysWhy(t *testing.T) {
	f := newFixture(t)
	public, err := f.keys.PublicJWKS()
	ok(t, err)
	verifying, err := donjon.ParseKeyring(public)
	ok(t, err)
	defer verifying.Close()

	keyring := func(jwks string) error { _, err := donjon.ParseKeyring([]byte(jwks)); return err }
	issuer := func(opts donjon.IssuerOptions) error { _, err := donjon.NewIssuer(f.keys, opts); return err }
	issuerOf := func(keys *donjon.Keyring, config string) error {
		_, err := donjon.ParseIssuer(keys, []byte(config))
		return err
	}
	verifier := func(opts donjon.VerifierOptions) error { _, err := donjon.NewVerifier(f.keys, opts); return err }
	verifierOf := func(config string) error { _, err := donjon.ParseVerifier(f.keys, []byte(config)); return err }
	hasher := func(opts donjon.HasherOptions) error { _, err := donjon.NewHasher(opts); return err }
	hasherOf := func(config string) error { _, err := donjon.ParseHasher(nil, []byte(config)); return err }
	rotation := func(r donjon.Rotation) error { _, err := f.keys.Rotate(r); return err }
	client := func(opts donjon.JWKSOptions) error { _, err := donjon.NewJWKSClient(opts); return err }
	fromEnv := func(name string) error { _, err := donjon.KeyringFromEnv(name); return err }
	const https = "https://auth.example.com/jwks.json"

	for name, c := range map[string]struct {
		err           error
		path, message string
	}{
		"a weak key":               {keyring(`{"keys":[` + publicKey + `,{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}`), "keys[1]", "32 bytes"},
		"a key twice":              {keyring(`{"keys":[` + publicKey + `,` + publicKey + `]}`), "", "one"},
		"no JSON":                  {keyring(`{"keys":`), "", "key set"},
		"an issuer of no keys":     {issuerOf(verifying, `{"issuer":null,"audience":null}`), "", "no primary token key"},
		"an issuer of nothing":     {issuerOf(f.keys, `{"audience":null}`), "", "issuer is missing"},
		"an empty audience":        {issuer(donjon.IssuerOptions{NoIssuer: true, Audience: []string{"", "api"}}), "", "a text is empty"},
		"no issuer":                {issuer(donjon.IssuerOptions{NoAudience: true}), "issuer", "neither given nor waived"},
		"half a second":            {issuer(donjon.IssuerOptions{NoIssuer: true, NoAudience: true, AccessTTL: time.Second / 2}), "access_ttl_s", "1s"},
		"a life of minus one":      {issuer(donjon.IssuerOptions{NoIssuer: true, NoAudience: true, AccessTTL: -time.Second}), "", "not positive"},
		"no algorithms":            {verifierOf(`{"issuer":null,"audience":null,"type":null}`), "", "algorithms is missing"},
		"an unknown algorithm":     {verifier(expecting(donjon.AccessToken, "none")), "", "unknown algorithm"},
		"a type and none":          {verifier(donjon.VerifierOptions{AnyIssuer: true, AnyAudience: true, AnyType: true, Type: donjon.AccessToken}), "type", "given, and waived"},
		"claims and none":          {verifier(donjon.VerifierOptions{AnyIssuer: true, AnyAudience: true, AnyType: true, Require: []string{"sub"}, RequireNothing: true}), "require", "given, and waived"},
		"too little memory":        {hasher(donjon.HasherOptions{MemoryKiB: 7167}), "", "OWASP"},
		"too little of a budget":   {hasherOf(`{"preset":"rfc9106"}`), "", "memory_budget_kib"},
		"peppers of other keys":    {hasher(donjon.HasherOptions{Peppers: f.keys}), "", "password-pepper"},
		"waiting, and not":         {hasher(donjon.HasherOptions{MaxWait: time.Second, NoWait: true}), "max_wait_ms", "given, and waived"},
		"half a millisecond":       {hasher(donjon.HasherOptions{MaxWait: time.Millisecond / 2}), "max_wait_ms", "1ms"},
		"no overlap":               {rotation(donjon.Rotation{}), "overlap", "neither given nor waived"},
		"keys by http":             {client(donjon.JWKSOptions{URL: "http://auth.example.com"}), "url", "https"},
		"published secrets":        {client(donjon.JWKSOptions{URL: https, Verifier: expecting(donjon.AccessToken, donjon.HS256)}), "algorithms", "secret"},
		"fetching without end":     {client(donjon.JWKSOptions{URL: https, Cooldown: time.Microsecond, Verifier: expecting(donjon.AccessToken, donjon.EdDSA)}), "", "cooldown"},
		"no expectations":          {client(donjon.JWKSOptions{URL: https}), "issuer", "neither given nor waived"},
		"a master that is not set": {fromEnv("DONJON_TEST_NO_MASTER"), "DONJON_TEST_NO_MASTER", "not set"},
	} {
		var refusal *donjon.ConfigError
		if !errors.As(c.err, &refusal) || !errors.Is(c.err, donjon.ErrConfig) {
			t.Errorf("%s: %v", name, c.err)
			continue
		}
		equal(t, name+": path", refusal.Path, c.path)
		if !strings.Contains(refusal.Message, c.message) {
			t.Errorf("%s: %q does not say %q", name, refusal.Message, c.message)
		}
		if !strings.HasPrefix(c.err.Error(), "donjon: config_error: "+c.path) || !strings.HasSuffix(c.err.Error(), refusal.Message) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
}

// publicKey is that of RFC 8037, appendix A.2.
const publicKey = `{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

func TestRefusedKeysAreNotQuoted(t *testing.T) {
	const secret = "c3BlYWsgZnJpZW5kIGFuZCBlbnRlcg" // too short to be a key
	for name, jwks := range map[string]string{
		"a weak secret":       `{"keys":[{"kty":"oct","alg":"HS256","k":"` + secret + `"}]}`,
		"a secret as its id":  `{"keys":[{"kty":"oct","alg":"HS256","kid":"` + secret + `","k":"` + secret + `"}]}`,
		"a broken key":        `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + secret + `","d":"` + secret + `"}]}`,
		"an unknown status":   `{"keys":[{"kty":"oct","alg":"HS256","status":"` + secret + `","k":"` + secret + `"}]}`,
		"a member twice":      `{"keys":[{"k":"` + secret + `","k":"` + secret + `"}]}`,
		"text after the keys": `{"keys":[]}` + secret,
		"no quotes":           `{"keys":[{"kty":"oct","k":` + secret + `}]}`,
		"a secret alone":      secret,
	} {
		_, err := donjon.ParseKeyring([]byte(jwks))
		var refusal *donjon.ConfigError
		if !errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Error("refused", "error", err)
		if told := err.Error() + refusal.Path + log.String(); strings.Contains(told, secret[:8]) {
			t.Errorf("%s: %s", name, told)
		}
	}
}

func TestLogHasThePlaceApart(t *testing.T) {
	var log bytes.Buffer
	_, err := donjon.ParseKeyring([]byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}`))
	slog.New(slog.NewTextHandler(&log, nil)).Error("refused", "error", err)
	if !strings.Contains(log.String(), ` error.code=config_error error.path=keys[0] error.message=`) {
		t.Errorf("logged %s", log.String())
	}
}
