package donjon_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// One decision in this process, without a context or an error to look at.
func ExampleLimitTable() {
	table, err := donjon.NewLimitTable(donjon.LimitTableOptions{})
	if err != nil {
		log.Fatal(err)
	}
	uploads := donjon.MustParseLimits("2/minute")
	for range 3 {
		fmt.Println(table.Allow(uploads, "uploads:ann"))
	}
	// Output:
	// true
	// true
	// false
}

func ExampleParseLimits() {
	limits, err := donjon.ParseLimits("10/second; 5 per 2 hours")
	if err != nil {
		log.Fatal(err)
	}
	for _, limit := range limits.Items() {
		fmt.Println(limit.Rate, limit.Period)
	}
	_, err = donjon.ParseLimits("10/fortnight")
	fmt.Println(errors.Is(err, donjon.ErrConfig))
	// Output:
	// 10 1s
	// 5 2h0m0s
	// true
}

// The store may be another one, such as that of the module redisstore, and the
// policy says what becomes of a request when it does not answer.
func ExampleLimiter() {
	table, err := donjon.NewLimitTable(donjon.LimitTableOptions{})
	if err != nil {
		log.Fatal(err)
	}
	limiter := &donjon.Limiter{Store: table, OnFailure: donjon.FailClosed()}
	limits := donjon.MustParseLimits("10/minute")
	for _, n := range []int{7, 7} {
		result, err := limiter.AllowN(context.Background(), limits, "exports:ann", n)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.Allowed, result.Remaining, result.RetryAfter > 0)
	}
	// Output:
	// 7 3 false
	// 0 3 true
}

// Each route has an allowance of its own for each client, and tells it in every
// response.
func ExampleRateLimit() {
	table, err := donjon.NewLimitTable(donjon.LimitTableOptions{})
	if err != nil {
		log.Fatal(err)
	}
	limiter := &donjon.Limiter{Store: table}
	proxies, err := donjon.NewProxies(donjon.ProxiesOptions{Header: donjon.XForwardedFor, Trusted: []string{"10.0.0.0/8"}})
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.Handle("POST /documents", donjon.RateLimit(limiter, donjon.RateLimitOptions{
		Limits: donjon.MustParseLimits("1/minute"), Proxies: proxies,
	})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })))

	for _, client := range []string{"203.0.113.7", "203.0.113.7", "203.0.113.8"} {
		r := httptest.NewRequest(http.MethodPost, "/documents", nil)
		r.RemoteAddr = "10.0.0.1:4711"
		r.Header.Set("X-Forwarded-For", client)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Printf("%d, %s left, retry after %q\n", w.Code, w.Header().Get("X-RateLimit-Remaining"), w.Header().Get("Retry-After"))
	}
	// Output:
	// 201, 0 left, retry after ""
	// 429, 0 left, retry after "60"
	// 201, 0 left, retry after ""
}

// A log-in is counted before its password is hashed, whether or not there is such a
// user.
func ExampleLockout() {
	keys, err := donjon.GenerateKeyring(forLockout)
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()
	table, err := donjon.NewLimitTable(donjon.LimitTableOptions{})
	if err != nil {
		log.Fatal(err)
	}
	lockout, err := donjon.NewLockout(keys, &donjon.Limiter{Store: table}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer lockout.Close()

	ctx := context.Background()
	logIn := func(account string, good bool) error {
		attempt, err := lockout.Reserve(ctx, donjon.LogIn{Account: account})
		if err != nil {
			return err
		}
		if !good { // as Hasher.Verify has found
			return donjon.ErrPasswordMismatch
		}
		return attempt.Succeeded(ctx)
	}
	for range 5 {
		_ = logIn("ann", false)
	}
	err = logIn("ann", true)
	var refused *donjon.LimitError
	fmt.Println(errors.As(err, &refused), refused.Result.RetryAfter.Round(time.Minute))
	fmt.Println(logIn("ben", true))
	// Output:
	// true 15m0s
	// <nil>
}

func ExampleProxies_Client() {
	proxies, err := donjon.NewProxies(donjon.ProxiesOptions{Header: donjon.XForwardedFor, Hops: 1})
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Forwarded-For", "198.51.100.9, 2001:db8:1:2::3") // of which the client has written the first
	client, err := proxies.Client(r)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.IP, client.Bucket)
	// Output:
	// 2001:db8:1:2::3 2001:db8:1:2::/64
}
