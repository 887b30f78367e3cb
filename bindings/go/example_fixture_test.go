package donjon_test

import (
	"database/sql"

	"github.com/donjon-security/donjon/bindings/go"
)

// What the examples have in common.

var exampleKeys = func() *donjon.Keyring {
	keys, err := donjon.GenerateKeyring(nil)
	if err != nil {
		panic(err)
	}
	return keys
}()

func verifierOf(keys *donjon.Keyring) *donjon.Verifier {
	verifier, err := donjon.NewVerifier(keys, expecting(donjon.AccessToken, donjon.EdDSA))
	if err != nil {
		panic(err)
	}
	return verifier
}

func exampleToken(roles ...string) string {
	issuer, err := donjon.NewIssuer(exampleKeys, donjon.IssuerOptions{Issuer: testIssuer, Audience: []string{testAudience}})
	if err != nil {
		panic(err)
	}
	defer issuer.Close()
	token, err := issuer.Access(donjon.Grant{Subject: "ann", Roles: roles})
	if err != nil {
		panic(err)
	}
	return token
}

var exampleSealingKeys = sealingKeys()

func sealingKeys() *donjon.Keyring {
	keys, err := donjon.GenerateKeyring(atRest)
	if err != nil {
		panic(err)
	}
	return keys
}

func sealerBy(keys *donjon.Keyring) *donjon.Sealer {
	sealer, err := donjon.NewSealer(keys)
	if err != nil {
		panic(err)
	}
	return sealer
}

func exampleDB() *sql.DB { return sql.OpenDB(&memoryDB{columns: []string{"id", "email"}}) }
