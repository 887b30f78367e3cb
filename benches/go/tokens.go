package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/golang-jwt/jwt/v5"
)

const subject = "5f0c2a9e-4b7d-4c1e-9a53-0d8e6f7b2c14"

var permissions = []string{
	"document:read", "document:write", "document:share", "comment:write", "folder:read", "user:invite", "audit:read",
}

func measureTokens() {
	verify := 0.6
	tokens(jwt.SigningMethodHS256, &verify)
	tokens(jwt.SigningMethodES256, nil)
	tokens(jwt.SigningMethodEdDSA, nil)
}

type peerClaims struct {
	Permissions []string `json:"permissions"`
	jwt.RegisteredClaims
}

func tokens(method jwt.SigningMethod, wanted *float64) {
	algorithm := method.Alg()
	algorithms := []donjon.Algorithm{donjon.Algorithm(algorithm)}
	keyring, private, public := keys(algorithm)
	defer keyring.Close()
	issuer := must(donjon.NewIssuer(keyring, donjon.IssuerOptions{NoIssuer: true, NoAudience: true}))
	defer issuer.Close()
	verifier := must(donjon.NewVerifier(keyring, donjon.VerifierOptions{
		AnyIssuer: true, AnyAudience: true, Type: donjon.AccessToken, Algorithms: algorithms,
	}))
	defer verifier.Close()
	parser := jwt.NewParser(jwt.WithValidMethods([]string{algorithm}), jwt.WithExpirationRequired())
	keyFunc := func(*jwt.Token) (any, error) { return public, nil }

	oursSign := func() string {
		return must(issuer.Access(donjon.Grant{Subject: subject, Permissions: permissions}))
	}
	peerSign := func() string {
		var random [16]byte
		must(rand.Read(random[:]))
		now := time.Now()
		return must(jwt.NewWithClaims(method, peerClaims{permissions, jwt.RegisteredClaims{
			Subject:   subject,
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(30 * time.Minute)),
			ID:        base64.RawURLEncoding.EncodeToString(random[:]),
		}}).SignedString(private))
	}
	token := oursSign()
	oursVerify := func() (string, []string) {
		claims := must(verifier.Verify(token))
		return claims.Subject(), claims.Permissions()
	}
	peerVerify := func() (string, []string) {
		var claims peerClaims
		must(parser.ParseWithClaims(token, &claims, keyFunc))
		return claims.Subject, claims.Permissions
	}

	// Both read the same out of the same token, and what the peer signs donjon verifies.
	for _, read := range []func() (string, []string){oursVerify, peerVerify} {
		if gotSubject, gotPermissions := read(); gotSubject != subject || !slices.Equal(gotPermissions, permissions) {
			panic("the claims differ")
		}
	}
	foreign := must(donjon.NewVerifier(keyring, donjon.VerifierOptions{
		AnyIssuer: true, AnyAudience: true, AnyType: true, Algorithms: algorithms,
	}))
	defer foreign.Close()
	must(foreign.Verify(peerSign()))

	peer := "golang-jwt " + version("github.com/golang-jwt/jwt/v5")
	report("tokens "+algorithm+" verify", peer, wanted, func() { oursVerify() }, func() { peerVerify() })
	report("tokens "+algorithm+" sign", peer, nil, func() { oursSign() }, func() { peerSign() })
}

// keys gives one key as donjon and golang-jwt (to sign, to verify) hold it.
func keys(algorithm string) (keyring *donjon.Keyring, private, public any) {
	const kid = "2026-11"
	switch algorithm {
	case "HS256":
		secret := make([]byte, 32)
		must(rand.Read(secret))
		return must(donjon.KeyringFromSecret(secret, donjon.HS256, kid)), secret, secret
	case "ES256":
		key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		private, public = key, &key.PublicKey
	default:
		public, private, _ = ed25519.GenerateKey(rand.Reader)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(private))})
	return must(donjon.KeyringFromPEM(text, donjon.Algorithm(algorithm), kid)), private, public
}
