package donjon_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// serveLimited serves one request from 192.0.2.1.
func serveLimited(middleware func(http.Handler) http.Handler, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/documents/7?secret=1", nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	middleware(http.HandlerFunc(hello)).ServeHTTP(w, r)
	return w
}

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = net.JoinHostPort(address, "4711") }
}

func TestEveryResponseTellsTheLimit(t *testing.T) {
	limit := donjon.RateLimit(&donjon.Limiter{Store: newTable(t)}, donjon.RateLimitOptions{Limits: parseLimits(t, "2/minute")})
	for _, want := range []string{"1", "0"} {
		w := serveLimited(limit, nil)
		equal(t, "status", w.Code, http.StatusOK)
		equal(t, "body", w.Body.String(), "hello")
		equal(t, "limit", w.Header().Get("X-RateLimit-Limit"), "2")
		equal(t, "remaining", w.Header().Get("X-RateLimit-Remaining"), want)
		equal(t, "retry after", w.Header().Get("Retry-After"), "")
		reset, err := strconv.ParseInt(w.Header().Get("X-RateLimit-Reset"), 10, 64)
		if in := time.Until(time.Unix(reset, 0)); err != nil || in < 0 || in > 61*time.Second {
			t.Errorf("resets in %v: %v", in, err)
		}
	}
	w := serveLimited(limit, nil)
	equal(t, "status", w.Code, http.StatusTooManyRequests)
	equal(t, "remaining", w.Header().Get("X-RateLimit-Remaining"), "0")
	equal(t, "retry after", w.Header().Get("Retry-After"), "30")
	equal(t, "type", w.Header().Get("Content-Type"), "application/json")
	equal(t, "caching", w.Header().Get("Cache-Control"), "no-store")
	var body struct {
		Error struct {
			Code    string
			Message string
			Details map[string]int64
		}
	}
	ok(t, json.Unmarshal(w.Body.Bytes(), &body))
	equal(t, "code", body.Error.Code, "rate_limited")
	equal(t, "message", body.Error.Message, "Rate limit exceeded")
	details := body.Error.Details
	if details["limit"] != 2 || details["remaining"] != 0 || details["retry_after"] != 30 || details["reset_time"] < time.Now().Unix() || len(details) != 4 {
		t.Errorf("details: %v", details)
	}
	equal(t, "another client", serveLimited(limit, from("192.0.2.2")).Code, http.StatusOK)
}

func TestHandlersGetTheWriterAsItCame(t *testing.T) {
	limit := donjon.RateLimit(&donjon.Limiter{Store: newTable(t)}, donjon.RateLimitOptions{
		Limits: parseLimits(t, "100/minute"), Headers: donjon.XRateLimit | donjon.IETFRateLimit,
	})
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle("/stream", limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		w.(http.Flusher).Flush()
		<-release // nothing is buffered until the handler returns
	})))
	mux.Handle("/hijack", limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connection, buffer, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		_, _ = buffer.WriteString("HTTP/1.1 101 Switching Protocols\r\n\r\n")
		_ = buffer.Flush()
	})))
	mux.Handle("/copy", limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := w.(io.ReaderFrom); !ok {
			t.Error("the writer has lost ReadFrom")
		}
		http.Error(w, "no", http.StatusTeapot)
	})))
	server := httptest.NewServer(mux)
	defer server.Close()

	response, err := http.Get(server.URL + "/stream")
	ok(t, err)
	equal(t, "streamed", response.Header.Get("X-RateLimit-Remaining"), "99")
	for _, name := range []string{"RateLimit", "RateLimit-Policy"} {
		if response.Header.Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
	close(release)
	response.Body.Close()

	response, err = http.Get(server.URL + "/copy")
	ok(t, err)
	response.Body.Close()
	equal(t, "an error's", response.Header.Get("X-RateLimit-Remaining"), "99")

	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	ok(t, err)
	defer connection.Close()
	_, err = io.WriteString(connection, "GET /hijack HTTP/1.1\r\nHost: localhost\r\n\r\n")
	ok(t, err)
	line, err := bufio.NewReader(connection).ReadString('\n')
	ok(t, err)
	equal(t, "hijacked", line, "HTTP/1.1 101 Switching Protocols\r\n")
}

func TestRoutesHaveAnAllowanceOfTheirOwnUnlessTheyShareAScope(t *testing.T) {
	limiter := &donjon.Limiter{Store: newTable(t)}
	once := parseLimits(t, "1/minute")
	mux := http.NewServeMux()
	for pattern, scope := range map[string]string{"GET /a/{id}": "", "GET /b:c": "", "GET /d": "shared", "GET /e": "shared"} {
		mux.Handle(pattern, donjon.RateLimit(limiter, donjon.RateLimitOptions{Limits: once, Scope: scope})(http.HandlerFunc(hello)))
	}
	for _, c := range []struct {
		path string
		want int
	}{
		{"/a/1", 200}, {"/a/2", 429}, {"/b:c", 200}, {"/b:c", 429}, {"/d", 200}, {"/e", 429},
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, nil))
		equal(t, c.path, w.Code, c.want)
	}
}

func TestRequestsAreCountedByKey(t *testing.T) {
	limit := donjon.RateLimit(&donjon.Limiter{Store: newTable(t)}, donjon.RateLimitOptions{
		Limits: parseLimits(t, "1/minute"),
		Key:    func(r *http.Request) string { return r.Header.Get("User") },
		Exempt: func(r *http.Request) bool { return r.Header.Get("Health") != "" },
	})
	user := func(name string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("User", name) }
	}
	for i, c := range []struct {
		change func(*http.Request)
		want   int
	}{
		{user("ann"), 200}, {user("ann"), 429}, {user("ben"), 200},
		{user("192.0.2.1"), 200}, {nil, 200}, {nil, 429}, {from("2001:db8::1"), 200}, {from("2001:db8::2"), 429},
		{user(strings.Repeat("x", 2000)), http.StatusBadRequest},
	} {
		w := serveLimited(limit, c.change)
		if w.Code != c.want {
			t.Errorf("%d: %d, want %d", i, w.Code, c.want)
		}
	}
	for range 3 {
		w := serveLimited(limit, func(r *http.Request) { r.Header.Set("Health", "1") })
		equal(t, "exempt", w.Code, http.StatusOK)
		equal(t, "exempt", w.Header().Get("X-RateLimit-Limit"), "")
	}
}

// keysOf tells the keys that are charged.
type keysOf struct {
	*donjon.LimitTable
	keys []string
}

func (s *keysOf) Spend(ctx context.Context, limits *donjon.Limits, key string, cost uint32) (donjon.Verdict, error) {
	s.keys = append(s.keys, key)
	return s.LimitTable.Spend(ctx, limits, key, cost)
}

// The keys of a scope are those of the Python package.
func TestNobodysKeyIsAnAddress(t *testing.T) {
	byUser := func(r *http.Request) string { return r.Header.Get("User") }
	for _, c := range []struct {
		scope, pattern string
		key            func(*http.Request) string
		user, want     string
	}{
		{"search", "GET /a", byUser, "ann", "search:ann"},
		{"search", "GET /a", byUser, "192.0.2.1", "search:192.0.2.1"},
		{"search", "GET /a", byUser, "", "search/address:192.0.2.1"},
		{"search", "GET /a", nil, "", "search:192.0.2.1"},
		{"", "GET /a", byUser, "ann", "GET /a:ann"},
		{"", "GET /a", byUser, "", "GET /a//address:192.0.2.1"},
		{"", "GET /a/", byUser, "", "GET /a///address:192.0.2.1"},
		{"", "GET /a/address", nil, "", "GET /a/address:192.0.2.1"},
		{"", "", byUser, "", "//address:192.0.2.1"},
	} {
		store := &keysOf{LimitTable: newTable(t)}
		limit := donjon.RateLimit(&donjon.Limiter{Store: store}, donjon.RateLimitOptions{
			Limits: parseLimits(t, "1/minute"), Scope: c.scope, Key: c.key,
		})
		w := serveLimited(limit, func(r *http.Request) {
			r.Pattern = c.pattern
			r.Header.Set("User", c.user)
		})
		equal(t, "status", w.Code, http.StatusOK)
		equal(t, "key", strings.Join(store.keys, " "), c.want)
	}
}

func TestTheClientIsWhomTheProxiesName(t *testing.T) {
	limit := donjon.RateLimit(&donjon.Limiter{Store: newTable(t)}, donjon.RateLimitOptions{
		Limits:  parseLimits(t, "1/minute"),
		Proxies: proxiesOf(t, donjon.ProxiesOptions{Header: donjon.XForwardedFor, Trusted: []string{"192.0.2.1"}}),
	})
	for i, c := range []struct {
		lines []string
		want  int
	}{
		{[]string{"203.0.113.1"}, 200}, {[]string{"203.0.113.2"}, 200},
		{[]string{"6.6.6.6", "203.0.113.1"}, 429}, {[]string{"7.7.7.7, 203.0.113.1"}, 429},
	} {
		w := serveLimited(limit, func(r *http.Request) { r.Header["X-Forwarded-For"] = c.lines })
		if w.Code != c.want {
			t.Errorf("%d: %d, want %d", i, w.Code, c.want)
		}
	}
}

func TestAPeerWithoutAnAddressIsTheServicesMistake(t *testing.T) {
	var log bytes.Buffer
	limit := donjon.RateLimit(&donjon.Limiter{Store: newTable(t)}, donjon.RateLimitOptions{
		Limits: parseLimits(t, "1/minute"), Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	w := serveLimited(limit, func(r *http.Request) { r.RemoteAddr = "@" })
	equal(t, "status", w.Code, http.StatusInternalServerError)
	if !strings.Contains(log.String(), "the peer has no address") {
		t.Errorf("logged %s", log.String())
	}
}

func TestRequestsCostWhatTheyCost(t *testing.T) {
	table := newTable(t)
	tenant := parseLimits(t, "10/hour")
	limit := donjon.RateLimit(&donjon.Limiter{Store: table}, donjon.RateLimitOptions{
		Limits: parseLimits(t, "5/hour"),
		Cost: func(r *http.Request) int {
			cost, _ := strconv.Atoi(r.Header.Get("Cost"))
			return cost
		},
		Also: func(*http.Request) []donjon.Charge { return []donjon.Charge{{Limits: tenant, Key: "tenant", Cost: 4}} },
	})
	cost := func(n string) *httptest.ResponseRecorder {
		return serveLimited(limit, func(r *http.Request) { r.Header.Set("Cost", n) })
	}
	equal(t, "two", cost("2").Header().Get("X-RateLimit-Remaining"), "3")
	refused := cost("6")
	equal(t, "six", refused.Code, http.StatusTooManyRequests)
	equal(t, "six", refused.Header().Get("Retry-After"), "")
	equal(t, "six", strings.Contains(refused.Body.String(), `"retry_after":null`), true)
	equal(t, "negative", cost("-1").Code, http.StatusInternalServerError)
	equal(t, "of the tenant", remaining(t, table, tenant, "tenant"), 6)
	equal(t, "two more", cost("2").Code, http.StatusOK)
	overTenant := cost("1")
	equal(t, "over the tenant's", overTenant.Code, http.StatusTooManyRequests)
	equal(t, "over the tenant's", overTenant.Header().Get("X-RateLimit-Limit"), "10")
}

func TestWhatARequestIsChargedBesidesCostsOne(t *testing.T) {
	table := newTable(t)
	own, tenant := parseLimits(t, "5/hour"), parseLimits(t, "2/hour")
	charges := []donjon.Charge{{Limits: tenant, Key: "tenant"}}
	limit := donjon.RateLimit(&donjon.Limiter{Store: table}, donjon.RateLimitOptions{
		Limits: own, Scope: "own",
		Cost: func(*http.Request) int { return 0 },
		Also: func(*http.Request) []donjon.Charge { return charges },
	})
	for _, want := range []int{200, 200, 429} {
		equal(t, "status", serveLimited(limit, nil).Code, want)
	}
	equal(t, "of no cost", remaining(t, table, own, "own:192.0.2.1"), 5)
	equal(t, "the caller's charge", charges[0].Cost, 0)
}

func TestARefusalCanBeAnsweredOtherwise(t *testing.T) {
	options := donjon.RateLimitOptions{Limits: parseLimits(t, "1/minute"), Code: "LUCID_ERR_3010"}
	limit := donjon.RateLimit(&donjon.Limiter{Store: newTable(t)}, options)
	serveLimited(limit, nil)
	if w := serveLimited(limit, nil); !strings.Contains(w.Body.String(), `"code":"LUCID_ERR_3010"`) {
		t.Errorf("body: %s", w.Body)
	}
	options.Refuse = func(w http.ResponseWriter, _ *http.Request, result donjon.Result) {
		http.Error(w, fmt.Sprint(result.Limit.Rate), http.StatusServiceUnavailable)
	}
	limit = donjon.RateLimit(&donjon.Limiter{Store: newTable(t)}, options)
	serveLimited(limit, nil)
	w := serveLimited(limit, nil)
	equal(t, "status", w.Code, http.StatusServiceUnavailable)
	equal(t, "body", w.Body.String(), "1\n")
	equal(t, "retry after", w.Header().Get("Retry-After"), "60")
}

func TestMiddlewareDoesAsThePolicySaysWhenTheStoreIsDown(t *testing.T) {
	for name, c := range map[string]struct {
		policy donjon.FailurePolicy
		codes  []int
		limit  string
	}{
		"closed":    {donjon.FailClosed(), []int{503, 503}, ""},
		"open":      {donjon.FailOpen(), []int{200, 200}, ""},
		"fall back": {donjon.FallBackTo(newTable(t)), []int{200, 429}, "1"},
	} {
		var reported reports
		var log bytes.Buffer
		limit := donjon.RateLimit(&donjon.Limiter{
			Store: &failingStore{spend: down}, OnFailure: c.policy, Report: reported.report,
		}, donjon.RateLimitOptions{Limits: parseLimits(t, "1/minute"), Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for i, want := range c.codes {
			w := serveLimited(limit, nil)
			equal(t, name, w.Code, want)
			equal(t, name, w.Header().Get("X-RateLimit-Limit"), c.limit)
			equal(t, name, reported.count(), i+1)
			if strings.Contains(w.Body.String(), errDown.Error()) {
				t.Errorf("%s: the client is told %s", name, w.Body)
			}
		}
		if strings.Contains(log.String(), "secret") {
			t.Errorf("%s: logged %s", name, log.String())
		}
	}
}

func TestAClientThatHasGoneIsNotLogged(t *testing.T) {
	var log bytes.Buffer
	limit := donjon.RateLimit(&donjon.Limiter{Store: &failingStore{spend: slow}, OnFailure: donjon.FailOpen()},
		donjon.RateLimitOptions{Limits: parseLimits(t, "1/minute"), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := serveLimited(limit, func(r *http.Request) { *r = *r.WithContext(ctx) })
	if w.Code < 500 || w.Body.String() == "hello" || log.Len() > 0 {
		t.Errorf("%d, logged %s", w.Code, log.String())
	}
}

func TestMistakesInTheProgramPanic(t *testing.T) {
	limiter, limits := &donjon.Limiter{Store: newTable(t)}, parseLimits(t, "1/minute")
	for name, make := range map[string]func(){
		"no limiter":  func() { donjon.RateLimit(nil, donjon.RateLimitOptions{Limits: limits}) },
		"no store":    func() { donjon.RateLimit(new(donjon.Limiter), donjon.RateLimitOptions{Limits: limits}) },
		"no limits":   func() { donjon.RateLimit(limiter, donjon.RateLimitOptions{}) },
		"zero limits": func() { donjon.RateLimit(limiter, donjon.RateLimitOptions{Limits: new(donjon.Limits)}) },
		"fields":      func() { donjon.RateLimit(limiter, donjon.RateLimitOptions{Limits: limits, Headers: 1 << 20}) },
		"a code":      func() { donjon.RateLimit(limiter, donjon.RateLimitOptions{Limits: limits, Code: "\xff"}) },
		"a colon":     func() { donjon.RateLimit(limiter, donjon.RateLimitOptions{Limits: limits, Scope: "a:b"}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			make()
		}()
	}
}

func TestExactlyTheLimitOfParallelRequestsIsServed(t *testing.T) {
	limit := donjon.RateLimit(&donjon.Limiter{Store: newTable(t)}, donjon.RateLimitOptions{Limits: parseLimits(t, "5/hour")})
	var served atomic.Int32
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			if serveLimited(limit, nil).Code == http.StatusOK {
				served.Add(1)
			}
		})
	}
	group.Wait()
	equal(t, "served", served.Load(), 5)
}

func TestALimitErrorIsAnsweredAsARefusal(t *testing.T) {
	limiter := &donjon.Limiter{Store: newTable(t)}
	limits := parseLimits(t, "1/minute")
	for range 2 {
		result, err := limiter.Allow(t.Context(), limits, "key")
		ok(t, err)
		if result.Allowed == 0 {
			w := httptest.NewRecorder()
			ok(t, result.Refuse(w, 0, ""))
			equal(t, "status", w.Code, http.StatusTooManyRequests)
			equal(t, "retry after", w.Header().Get("Retry-After"), "60")
			equal(t, "limit", w.Header().Get("X-RateLimit-Limit"), "1")
		}
	}
	if err := new(donjon.Result).Refuse(httptest.NewRecorder(), 0, ""); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("a result of nothing: %v", err)
	}
}

func TestOfSeveralLimitsTheInnermostThatWasAskedIsTold(t *testing.T) {
	limiter := &donjon.Limiter{Store: newTable(t)}
	outer := donjon.RateLimit(limiter, donjon.RateLimitOptions{Limits: parseLimits(t, "2/hour"), Scope: "all"})
	inner := donjon.RateLimit(limiter, donjon.RateLimitOptions{Limits: parseLimits(t, "100/hour"), Scope: "one"})
	both := func(next http.Handler) http.Handler { return outer(inner(next)) }
	for _, want := range []string{"100", "100", "2"} {
		w := serveLimited(both, nil)
		equal(t, "limit", w.Header().Get("X-RateLimit-Limit"), want)
		equal(t, "served", w.Code == http.StatusOK, want == "100")
	}
}
