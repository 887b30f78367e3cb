package donjon_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func Example() {
	keys, err := donjon.GenerateKeyring(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()

	issuer, err := donjon.NewIssuer(keys, donjon.IssuerOptions{
		Issuer:   "https://auth.example.com",
		Audience: []string{"api"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer issuer.Close()
	token, err := issuer.Access(donjon.Grant{Subject: "ann", Permissions: []string{"document:read"}})
	if err != nil {
		log.Fatal(err)
	}

	verifier, err := donjon.NewVerifier(keys, donjon.VerifierOptions{
		Issuer:     "https://auth.example.com",
		Audience:   []string{"api"},
		Type:       donjon.AccessToken,
		Algorithms: []donjon.Algorithm{donjon.EdDSA},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()
	claims, err := verifier.Verify(token)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(claims.Subject(), claims.Permissions())
	// Output: ann [document:read]
}

// A service that only verifies gets along with the issuer's public keys.
func ExampleNewVerifier() {
	published := []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",
		"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	keys, err := donjon.ParseKeyring(published)
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()

	_, err = donjon.NewVerifier(keys, donjon.VerifierOptions{
		Issuer:     "https://auth.example.com",
		Type:       donjon.AccessToken,
		Algorithms: []donjon.Algorithm{donjon.EdDSA},
	})
	fmt.Println(err)

	verifier, err := donjon.NewVerifier(keys, donjon.VerifierOptions{
		Issuer:      "https://auth.example.com",
		AnyAudience: true,
		Type:        donjon.AccessToken,
		Algorithms:  []donjon.Algorithm{donjon.EdDSA},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()
	_, err = verifier.Verify("eyJhbGciOiJub25lIn0.e30.")
	fmt.Println(errors.Is(err, donjon.ErrAlgNotAllowed))
	// Output:
	// donjon: config_error: audience: neither given nor waived
	// true
}

func ExampleRequireToken() {
	verifier := verifierOf(exampleKeys)
	defer verifier.Close()

	mux := http.NewServeMux()
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		claims, _ := donjon.FromContext(r.Context())
		fmt.Fprintf(w, "hello, %s", claims.Subject())
	})
	guarded := donjon.RequireToken(verifier, nil)(mux)

	for _, authorization := range []string{"Bearer " + exampleToken(), "Bearer forged"} {
		r := httptest.NewRequest(http.MethodGet, "/me", nil)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 hello, ann
	// 401 Unauthorized
}

// Rotating swaps one keyring for another; the handler publishes the current one.
// The key that signs from now on was published before.
func ExampleJWKSHandler() {
	var current atomic.Pointer[donjon.Keyring]
	current.Store(exampleKeys)
	http.Handle("GET /.well-known/jwks.json", donjon.JWKSHandler(current.Load))

	rotated, err := current.Load().Rotate(donjon.Rotation{Overlap: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	current.Store(rotated)

	keys, err := rotated.Summary()
	if err != nil {
		log.Fatal(err)
	}
	for _, key := range keys {
		if key.Purpose == donjon.PurposeToken {
			fmt.Println(key.Algorithm, key.Status)
		}
	}
	// Unordered output:
	// EdDSA verify-only
	// EdDSA primary
	// EdDSA active
}

func ExamplePurposeTokens_Consume() {
	tokens, err := donjon.NewPurposeTokens(exampleKeys)
	if err != nil {
		log.Fatal(err)
	}
	defer tokens.Close()

	var passwordHash atomic.Value // in a database
	passwordHash.Store("old hash")
	binding := donjon.Binding{Purpose: "reset", Subject: "ann", State: "old hash"}
	token, err := tokens.Mint(binding, time.Hour)
	if err != nil {
		log.Fatal(err)
	}

	reset := func(newHash string) error {
		return tokens.Consume(context.Background(), token, binding, func(context.Context) (bool, error) {
			return passwordHash.CompareAndSwap(binding.State, newHash), nil
		})
	}
	fmt.Println(reset("new hash"))
	fmt.Println(errors.Is(reset("another hash"), donjon.ErrInvalid))
	// Output:
	// <nil>
	// true
}

func ExampleIssuer_RotateRefresh() {
	ctx := context.Background()
	issuer, err := donjon.NewIssuer(exampleKeys, donjon.IssuerOptions{
		Issuer:   "https://auth.example.com",
		Audience: []string{"api"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer issuer.Close()
	verifier, err := donjon.NewVerifier(exampleKeys, donjon.VerifierOptions{
		Issuer:     "https://auth.example.com",
		Audience:   []string{"api"},
		Type:       donjon.RefreshToken,
		Algorithms: []donjon.Algorithm{donjon.EdDSA},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()

	var store memoryStore // a FamilyStore: 32 bytes per log-in, in a database
	grant := donjon.Grant{Subject: "ann"}
	first, err := issuer.BeginRefresh(ctx, &store, grant)
	if err != nil {
		log.Fatal(err)
	}
	refresh := func(token string) error {
		claims, err := verifier.Verify(token)
		if err != nil {
			return err
		}
		_, err = issuer.RotateRefresh(ctx, &store, claims, 0, grant)
		return err
	}
	fmt.Println(refresh(first))
	time.Sleep(2 * time.Millisecond) // the grace, which is zero here, is over
	fmt.Println(refresh(first))
	// Output:
	// <nil>
	// donjon: reuse_detected: a refresh token was used again: its family is to be revoked
}

func ExampleError() {
	verifier := verifierOf(exampleKeys)
	defer verifier.Close()
	_, err := verifier.VerifyAt(exampleToken(), time.Now().Add(time.Hour))

	var refusal *donjon.Error
	if errors.As(err, &refusal) {
		fmt.Println("log: ", refusal)
		fmt.Println("tell:", refusal.HTTPStatus(), refusal.Public())
	}
	// Output:
	// log:  donjon: expired: the token has expired
	// tell: 401 Unauthorized
}

func ExampleNewJWKSClient() {
	client, err := donjon.NewJWKSClient(donjon.JWKSOptions{
		URL: "https://idp.example.com/.well-known/jwks.json",
		Verifier: donjon.VerifierOptions{
			Issuer:     "https://idp.example.com",
			Audience:   []string{"api"},
			AnyType:    true, // this provider writes no "typ"
			Algorithms: []donjon.Algorithm{donjon.RS256},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	http.Handle("/", donjon.RequireToken(client, nil)(http.NotFoundHandler()))
	// Output:
}

// A log-in costs the same whether there is such a user or not, and brings the
// stored hash up to date.
func ExampleHasher() {
	hasher, err := donjon.NewHasher(donjon.HasherOptions{
		MaxWait: 2 * time.Second, // then the service is busy
		Legacy:  []donjon.LegacyScheme{donjon.LegacyBcrypt},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer hasher.Close()

	users := map[string]string{"ann": "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"} // a database
	logIn := func(ctx context.Context, user string, password []byte) error {
		hash, known := users[user]
		if !known {
			return hasher.VerifyUnknownUser(ctx, password)
		}
		verification, err := hasher.Verify(ctx, hash, password)
		if err != nil {
			return err
		}
		if verification.NeedsRehash && !verification.Truncated {
			if users[user], err = hasher.Hash(ctx, password); err != nil {
				return err
			}
		}
		return nil
	}

	ctx := context.Background()
	fmt.Println(logIn(ctx, "ann", []byte("correct horse")))
	fmt.Println(users["ann"][:31])
	fmt.Println(logIn(ctx, "ann", []byte("wrong")))
	fmt.Println(logIn(ctx, "bob", []byte("wrong")))
	// Output:
	// <nil>
	// $argon2id$v=19$m=65536,t=3,p=1$
	// donjon: password_mismatch: the password does not match
	// donjon: password_mismatch: the password does not match
}

func ExampleCheckStrength() {
	strength, err := donjon.CheckStrength([]byte("umbra kelpie ninefold"), []string{"ann@example.com"}, donjon.StrengthNIST)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strength.Valid, strength.Checks)

	strength, err = donjon.CheckStrength([]byte("umbra kelpie ninefold"), nil, donjon.StrengthComposition)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strength.Valid, strength.Score)
	// Output:
	// true map[common:true length:true]
	// false 0.5
}

func ExamplePolicy() {
	policy, err := donjon.ParsePolicy([]byte(`{
		"permissions": ["document:create", "document:read:{id}", "document:delete"],
		"roles": {
			"viewer": {"allow": ["document:read"]},
			"editor": {"inherits": ["viewer"], "allow": ["document"], "deny": ["document:delete"]}
		}}`))
	if err != nil {
		log.Fatal(err)
	}
	defer policy.Close()

	subject, err := policy.Subject([]string{"editor"}, donjon.SubjectOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer subject.Close()
	fmt.Println(subject.Has("document:create"), subject.HasInstance("document:read", "42"), subject.Has("document:delete"))

	explanation, err := subject.Explain(donjon.Requirement{Permissions: []string{"document:delete"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(explanation.Reason, explanation.Permissions[0].Denies[0].Grant)
	// Output:
	// true true false
	// denied document:delete
}

// What the catalogue lacks is no grant, and the error says where it is.
func ExampleParsePolicy() {
	_, err := donjon.ParsePolicy([]byte(`{
		"permissions": ["document:read"],
		"roles": {"viewer": {"allow": ["document:raed"]}}}`))
	var refusal *donjon.ConfigError
	fmt.Println(errors.As(err, &refusal), errors.Is(err, donjon.ErrConfig))
	fmt.Println(refusal.Path)
	// Output:
	// true true
	// roles.viewer.allow[0]
}

// Replacing the policy is one store: requests decide by the old one or by the
// new one.
func ExampleRequirePermission() {
	var current atomic.Pointer[donjon.Policy]
	policy, err := donjon.ParsePolicy([]byte(`{
		"permissions": ["document:read:{id}"],
		"roles": {"viewer": {"allow": ["document:read"]}, "auditor": {"allow": ["document:read:7"]}}}`))
	if err != nil {
		log.Fatal(err)
	}
	current.Store(policy)

	mux := http.NewServeMux()
	mux.Handle("GET /documents/{id}", donjon.RequirePermission(current.Load, "document:read:{id}", nil)(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "document %s", r.PathValue("id"))
		})))
	verifier := verifierOf(exampleKeys)
	defer verifier.Close()
	guarded := donjon.RequireToken(verifier, nil)(mux)

	for _, path := range []string{"/documents/7", "/documents/8"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer "+exampleToken("auditor"))
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 document 7
	// 403 Forbidden
}
