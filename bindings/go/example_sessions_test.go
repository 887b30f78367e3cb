package donjon_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// A user logs in on two devices, and ends the other one from here.
func ExampleSessionManager() {
	keys, err := donjon.GenerateKeyring(forSessions)
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()
	sessions, err := donjon.NewSessionManager(keys, new(donjon.MemoryRecords), donjon.SessionManagerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()

	ctx := context.Background()
	at := donjon.SessionClient{Address: "192.0.2.1", UserAgent: "Browser/1.0"}
	phone, err := sessions.LogIn(ctx, donjon.NewSession{Subject: "ann", Client: at, Label: "phone"}, "")
	if err != nil {
		log.Fatal(err)
	}
	laptop, err := sessions.LogIn(ctx, donjon.NewSession{Subject: "ann", Client: at, Label: "laptop"}, "")
	if err != nil {
		log.Fatal(err)
	}
	list, err := sessions.List(ctx, "ann", laptop.ID)
	if err != nil {
		log.Fatal(err)
	}
	for _, session := range list {
		fmt.Println(session.Label, session.Network, session.Current)
		if !session.Current {
			if err := sessions.Revoke(ctx, "ann", session.Handle); err != nil {
				log.Fatal(err)
			}
		}
	}
	_, err = sessions.Check(ctx, phone.ID, at)
	fmt.Println(errors.Is(err, donjon.ErrInvalidSession))
	session, err := sessions.Check(ctx, laptop.ID, at)
	fmt.Println(session.Subject, err)
	// Output:
	// phone 192.0.2.0/24 false
	// laptop 192.0.2.0/24 true
	// true
	// ann <nil>
}

// What a service with log-in, pages for who is logged in, and log-out is made of.
func ExampleRequireSession() {
	keys, err := donjon.GenerateKeyring(forSessions)
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()
	sessions, err := donjon.NewSessionManager(keys, new(donjon.MemoryRecords), donjon.SessionManagerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()
	authenticate := func(r *http.Request, who donjon.Credentials) (string, error) {
		return who.Username, nil // if the password is good: see LogInHandler
	}
	mux := http.NewServeMux()
	mux.Handle("POST /log-in", donjon.LogInHandler(sessions, authenticate, nil))
	mux.Handle("/auth/", http.StripPrefix("/auth", donjon.SessionHandlers(sessions, nil)))
	mux.Handle("GET /me", donjon.RequireSession(sessions, nil)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := donjon.SessionFromContext(r.Context())
		fmt.Fprint(w, "hello ", session.Subject)
	})))

	var cookies []*http.Cookie
	ask := func(method, path string) {
		r := httptest.NewRequest(method, path, strings.NewReader(`{"username":"ann","password":"…"}`))
		r.Header.Set("Content-Type", "application/json")
		for _, cookie := range cookies {
			r.AddCookie(cookie)
			if cookie.Name == "__Host-session-csrf" {
				r.Header.Set(donjon.CSRFHeader, cookie.Value) // as a script of the page does
			}
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if set := w.Result().Cookies(); len(set) > 0 {
			cookies = set
		}
		fmt.Printf("%s %s: %d %q\n", method, path, w.Code, w.Body)
	}
	ask("POST", "/log-in")
	ask("GET", "/me")
	ask("POST", "/auth/logout")
	// Output:
	// POST /log-in: 204 ""
	// GET /me: 200 "hello ann"
	// POST /auth/logout: 204 ""
}

// A log-in is counted before its password is hashed, and costs the same whether or not
// there is such a user.
func ExampleLogInHandler() {
	keys, err := donjon.GenerateKeyring(forSessions)
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()
	sessions, err := donjon.NewSessionManager(keys, new(donjon.MemoryRecords), donjon.SessionManagerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()
	table, err := donjon.NewLimitTable(donjon.LimitTableOptions{})
	if err != nil {
		log.Fatal(err)
	}
	lockout, err := donjon.NewLockout(keys, &donjon.Limiter{Store: table}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer lockout.Close()
	hasher, err := donjon.NewHasher(donjon.HasherOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer hasher.Close()
	hash, err := hasher.Hash(context.Background(), []byte("correct horse"))
	if err != nil {
		log.Fatal(err)
	}
	users := map[string]string{"ann": hash}
	var proxies *donjon.Proxies // that tell nothing: the client is the peer

	logIn := donjon.LogInHandler(sessions, func(r *http.Request, who donjon.Credentials) (string, error) {
		ctx := r.Context()
		client, err := proxies.Client(r)
		if err != nil {
			return "", err
		}
		attempt, err := lockout.Reserve(ctx, donjon.LogIn{Account: who.Username, Address: client.Bucket})
		if err != nil {
			return "", err
		}
		hash, known := users[who.Username]
		if known {
			_, err = hasher.Verify(ctx, hash, who.Password)
		} else {
			err = hasher.VerifyUnknownUser(ctx, who.Password)
		}
		switch { // if this fails, the limiter reports it, and it changes nothing here
		case err == nil:
			_ = attempt.Succeeded(ctx)
		case errors.Is(err, donjon.ErrBusy):
			_ = attempt.Withdraw(ctx) // no password was looked at
		}
		return who.Username, err
	}, &donjon.RequireSessionOptions{Proxies: proxies})

	for _, body := range []string{
		`{"username":"ann","password":"wrong","device":"laptop"}`,
		`{"username":"ben","password":"wrong","device":"laptop"}`,
		`{"username":"ann","password":"correct horse","device":"laptop"}`,
	} {
		r := httptest.NewRequest("POST", "/log-in", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		logIn.ServeHTTP(w, r)
		fmt.Println(w.Code, len(w.Result().Cookies()))
	}
	// Output:
	// 401 0
	// 401 0
	// 204 2
}

// A refresh token that is used again after its grace was stolen, from the user or by him.
func ExampleSessionManager_RefreshTokens() {
	keys, err := donjon.GenerateKeyring(forSessions)
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()
	sessions, err := donjon.NewSessionManager(keys, new(donjon.MemoryRecords), donjon.SessionManagerOptions{
		Sessions: donjon.SessionsOptions{NoRefreshGrace: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()
	issuer, err := donjon.NewIssuer(keys, donjon.IssuerOptions{Issuer: "https://auth.example.com", Audience: []string{"api"}})
	if err != nil {
		log.Fatal(err)
	}
	defer issuer.Close()
	verifier, err := donjon.NewVerifier(keys, donjon.VerifierOptions{
		Issuer: "https://auth.example.com", Audience: []string{"api"}, Type: donjon.RefreshToken,
		Algorithms: []donjon.Algorithm{donjon.EdDSA},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()

	ctx := context.Background()
	pair, err := sessions.BeginTokens(ctx, issuer, donjon.NewSession{Subject: "ann"}, donjon.Grant{Roles: []string{"editor"}})
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		claims, err := verifier.Verify(pair.Refresh)
		if err != nil {
			log.Fatal(err)
		}
		_, err = sessions.RefreshTokens(ctx, issuer, claims, donjon.SessionClient{}, donjon.Grant{Roles: []string{"editor"}})
		fmt.Println(err == nil, errors.Is(err, donjon.ErrReuseDetected), errors.Is(err, donjon.ErrRevoked))
		time.Sleep(2 * time.Millisecond)
	}
	// Output:
	// true false false
	// false true false
	// false false true
}

// A service that does not ask the store refuses what a signed set says is revoked.
func ExampleOfflineRevocations() {
	keys, err := donjon.GenerateKeyring(forSessions)
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()
	revocations, err := donjon.NewRevocations(keys, new(donjon.MemoryRecords), donjon.RevocationsOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer revocations.Close()

	ctx := context.Background()
	if err := revocations.RevokeToken(ctx, "ann", "token-1", time.Now().Add(time.Hour)); err != nil {
		log.Fatal(err)
	}
	bytes, err := revocations.Publish(ctx, keys, 5*time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	set, err := donjon.OpenRevocationSet(bytes, keys, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	for _, id := range []string{"token-1", "token-2"} {
		_, err := set.Check(donjon.RevocationQuery{Subject: "ann", TokenID: id, IssuedAt: time.Now().Add(10 * time.Second)})
		fmt.Println(id, errors.Is(err, donjon.ErrRevoked))
	}
	// Output:
	// token-1 true
	// token-2 false
}
