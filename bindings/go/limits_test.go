package donjon_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func limitsOf(t testing.TB, opts donjon.LimitsOptions) *donjon.Limits {
	t.Helper()
	limits, err := donjon.NewLimits(opts)
	ok(t, err)
	return limits
}

func parseLimits(t testing.TB, spec string) *donjon.Limits {
	t.Helper()
	return limitsOf(t, donjon.LimitsOptions{Limits: spec})
}

func lockoutLimits(t testing.TB, opts donjon.LockoutLimitsOptions) *donjon.Limits {
	t.Helper()
	limits, err := donjon.LockoutLimits(opts)
	ok(t, err)
	return limits
}

// fiveOf has every algorithm, with a limit of five a minute.
func fiveOf(t testing.TB) map[donjon.LimitAlgorithm]*donjon.Limits {
	all := map[donjon.LimitAlgorithm]*donjon.Limits{
		"lockout": lockoutLimits(t, donjon.LockoutLimitsOptions{Attempts: 5, Lock: time.Minute}),
	}
	for _, algorithm := range []donjon.LimitAlgorithm{
		donjon.GCRA, donjon.TokenBucket, donjon.FixedWindow, donjon.SlidingWindow, donjon.SlidingLog,
	} {
		all[algorithm] = limitsOf(t, donjon.LimitsOptions{Limits: "5/minute", Algorithm: algorithm})
	}
	return all
}

func TestLimitsAreReadAsTheyAreWritten(t *testing.T) {
	for spec, want := range map[string][]donjon.Limit{
		"10/minute":              {{Rate: 10, Burst: 10, Period: time.Minute}},
		"5 per 1 hour":           {{Rate: 5, Burst: 5, Period: time.Hour}},
		"1 PER 10 Seconds":       {{Rate: 1, Burst: 1, Period: 10 * time.Second}},
		"10/second; 100/hour":    {{Rate: 10, Burst: 10, Period: time.Second}, {Rate: 100, Burst: 100, Period: time.Hour}},
		"1/day,2/month|3/2 year": {{Rate: 1, Burst: 1, Period: 24 * time.Hour}, {Rate: 2, Burst: 2, Period: 720 * time.Hour}, {Rate: 3, Burst: 3, Period: 720 * 24 * time.Hour}},
	} {
		limits := parseLimits(t, spec)
		if got := limits.Items(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", spec, got, want)
		}
		equal(t, spec, limits.Algorithm(), donjon.GCRA)
	}
	limits := limitsOf(t, donjon.LimitsOptions{Limits: "10/second", Algorithm: donjon.TokenBucket, Burst: 20})
	equal(t, "burst", limits.Items()[0], donjon.Limit{Rate: 10, Burst: 20, Period: time.Second})
	text, err := json.Marshal(limits)
	ok(t, err)
	equal(t, "description", string(text), `{"algorithm":"token_bucket","limits":[{"amount":10,"period_s":1,"burst":20}]}`)
}

func TestRefusedLimitsSayWhere(t *testing.T) {
	for _, spec := range []string{
		"", ";", "0/minute", "-1/second", "10/fortnight", "1e3/day", "10/0 minute", "5/", "/minute", "5 minute",
		"4294967296/second", "1/99999999999999999999 day", "1/101 year", "5/minute;", "5/minute; 6/minute",
		strings.Repeat("1/second;", 200), "1/1s;1/2s;1/3s;1/4s;1/5s;1/6s;1/7s;1/8s;1/9s", "5/minute\x00", "٣/minute",
	} {
		_, err := donjon.ParseLimits(spec)
		var refused *donjon.ConfigError
		if !errors.As(err, &refused) || !errors.Is(err, donjon.ErrConfig) || refused.Message == "" {
			t.Errorf("%.40q: %v", spec, err)
		}
	}
	_, err := donjon.ParseLimits("10/fortnight")
	if err == nil || !strings.Contains(err.Error(), "limits: ") || !strings.HasSuffix(err.Error(), " 3") {
		t.Errorf("no position: %v", err)
	}
	for name, opts := range map[string]donjon.LimitsOptions{
		"another algorithm":   {Limits: "5/minute", Algorithm: "leaky"},
		"lock-out by name":    {Limits: "5/minute", Algorithm: "lockout"},
		"a burst of a window": {Limits: "5/minute", Algorithm: donjon.FixedWindow, Burst: 6},
		"a burst of two":      {Limits: "5/minute; 6/hour", Burst: 6},
		"a long log":          {Limits: "65/minute", Algorithm: donjon.SlidingLog},
		"a burst of ages":     {Limits: "1/100 year", Burst: math.MaxUint32},
	} {
		if _, err := donjon.NewLimits(opts); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, opts := range map[string]donjon.LockoutLimitsOptions{
		"many attempts":     {Attempts: 256},
		"half a second":     {Lock: time.Second / 2},
		"a negative lock":   {Lock: -time.Second},
		"a shorter maximum": {Lock: time.Hour, MaxLock: time.Minute},
	} {
		if _, err := donjon.LockoutLimits(opts); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("MustParseLimits returned")
		}
	}()
	donjon.MustParseLimits("0/minute")
}

func TestProfilesAreThoseOfTheDocuments(t *testing.T) {
	profiles, err := donjon.LimitProfiles()
	ok(t, err)
	for name, want := range map[string]string{
		"deepinsight/document_upload":      "10/minute",
		"deepinsight/login":                "5/minute",
		"session-cluster/session_create":   "10/minute",
		"session-cluster/chunk_download":   "1000/minute",
		"session-cluster/statistics":       "60/minute",
		"session-cluster/session_delete":   "5/minute",
		"session-cluster/pipeline_control": "20/minute",
	} {
		equal(t, name, profiles[name].Limits, want)
	}
	for name, opts := range profiles {
		limits, err := donjon.LimitProfile(name)
		ok(t, err)
		equal(t, name, fmt.Sprint(limits.Items()), fmt.Sprint(limitsOf(t, opts).Items()))
		equal(t, name, limits.Algorithm(), opts.Algorithm)
	}
	if _, err := donjon.LimitProfile("session-cluster/nothing"); !errors.Is(err, donjon.ErrConfig) {
		t.Errorf("a profile that is none: %v", err)
	}
}

func TestFiveAreAllowedAndThenNoneForAsLongAsItSays(t *testing.T) {
	for algorithm, limits := range fiveOf(t) {
		var state []byte
		for i := range 5 {
			verdict, next, err := limits.Spend(state, at, 1)
			ok(t, err)
			if !verdict.Allowed || int(verdict.Remaining) != 4-i || verdict.Limit != 5 || verdict.RetryAfter != 0 || verdict.ResetAfter <= 0 {
				t.Errorf("%s: the %d. is %+v", algorithm, i+1, verdict)
			}
			if !verdict.At.Equal(at) || verdict.Keep < verdict.ResetAfter {
				t.Errorf("%s: %+v", algorithm, verdict)
			}
			state = next
		}
		refused, next, err := limits.Spend(state, at, 1)
		ok(t, err)
		if refused.Allowed || refused.Remaining != 0 || refused.RetryAfter <= 0 {
			t.Errorf("%s: the sixth is %+v", algorithm, refused)
		}
		if !bytes.Equal(next, state) {
			t.Errorf("%s: a refusal has changed the state", algorithm)
		}
		early, _, err := limits.Spend(state, at.Add(refused.RetryAfter-time.Millisecond), 1)
		ok(t, err)
		late, _, err := limits.Spend(state, at.Add(refused.RetryAfter), 1)
		ok(t, err)
		if early.Allowed || !late.Allowed {
			t.Errorf("%s: retry after %v is wrong", algorithm, refused.RetryAfter)
		}
	}
}

// Attack 42.
func TestACostAboveTheLimitIsNeverAllowedAndNoCostIsAPeek(t *testing.T) {
	for algorithm, limits := range fiveOf(t) {
		for _, cost := range []uint32{6, math.MaxUint32} {
			verdict, next, err := limits.Spend(nil, at, cost)
			ok(t, err)
			if verdict.Allowed || !verdict.NeverAllowed || verdict.RetryAfter >= 0 || len(next) != 0 {
				t.Errorf("%s: a cost of %d is %+v", algorithm, cost, verdict)
			}
		}
		peek, next, err := limits.Spend(nil, at, 0)
		ok(t, err)
		if !peek.Allowed || peek.Remaining != 5 || len(next) != 0 {
			t.Errorf("%s: a peek is %+v", algorithm, peek)
		}
		_, full, err := limits.Spend(nil, at, 5)
		ok(t, err)
		peek, next, err = limits.Spend(full, at, 0)
		ok(t, err)
		if peek.Allowed || peek.RetryAfter <= 0 || !bytes.Equal(next, full) {
			t.Errorf("%s: a peek at nothing is %+v", algorithm, peek)
		}
	}
}

// Attack 43.
func TestNoClockAndNoStateRefills(t *testing.T) {
	times := []time.Time{time.UnixMilli(0), time.UnixMilli(1), at, at.Add(-time.Hour), time.UnixMilli(1<<47 - 1), time.UnixMilli(math.MaxInt64)}
	for algorithm, limits := range fiveOf(t) {
		_, full, err := limits.Spend(nil, at, 5)
		ok(t, err)
		for _, back := range []time.Time{at, at.Add(-time.Second), at.Add(-24 * time.Hour), time.UnixMilli(0)} {
			verdict, next, err := limits.Spend(full, back, 1)
			ok(t, err)
			if verdict.Allowed || verdict.Remaining != 0 || !bytes.Equal(next, full) {
				t.Errorf("%s: at %v: %+v", algorithm, back, verdict)
			}
		}
		random := rand.New(rand.NewPCG(1, 2))
		for length := range 100 {
			garbage := make([]byte, length)
			for i := range garbage {
				garbage[i] = byte(random.Uint32())
			}
			for _, state := range [][]byte{garbage, full[:min(length, len(full)-1)], append(slices.Clone(full), garbage...)} {
				for _, now := range times {
					verdict, next, err := limits.Spend(state, now, 1)
					ok(t, err)
					if len(state) > 0 && !bytes.Equal(state, full) && verdict.Allowed {
						t.Errorf("%s: allowed at %v by damaged %x", algorithm, now, state)
					}
					if _, _, err := limits.Spend(next, now, 1); err != nil {
						t.Errorf("%s: %v of what the kernel wrote", algorithm, err)
					}
					if _, err := limits.GiveBack(state, now, now, math.MaxUint32); err != nil {
						t.Errorf("%s: giving back: %v", algorithm, err)
					}
				}
			}
		}
		if _, _, err := limits.Spend(nil, time.UnixMilli(-1), 1); !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Errorf("%s: before 1970: %v", algorithm, err)
		}
		if _, _, err := limits.Spend(nil, time.Time{}, 1); !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Errorf("%s: at no time: %v", algorithm, err)
		}
	}
}

// Attack 44.
func TestTheWorstWindowAdmitsWhatTheFormatSays(t *testing.T) {
	const n, burst, period = 7, 10, time.Second
	for _, c := range []struct {
		opts donjon.LimitsOptions
		most int
	}{
		{donjon.LimitsOptions{Algorithm: donjon.GCRA}, n + n - 1},
		{donjon.LimitsOptions{Algorithm: donjon.GCRA, Burst: burst}, n + burst - 1},
		{donjon.LimitsOptions{Algorithm: donjon.TokenBucket, Burst: burst}, n + burst - 1},
		{donjon.LimitsOptions{Algorithm: donjon.FixedWindow}, 2 * n},
		{donjon.LimitsOptions{Algorithm: donjon.SlidingWindow}, 2*n - 1},
		{donjon.LimitsOptions{Algorithm: donjon.SlidingLog}, n},
	} {
		c.opts.Limits = fmt.Sprintf("%d/second", n)
		limits := limitsOf(t, c.opts)
		random := rand.New(rand.NewPCG(44, uint64(len(c.opts.Algorithm))))
		var admitted []time.Time
		var state []byte
		now := at
		for range 20_000 {
			switch random.IntN(40) {
			case 0:
				now = now.Add(time.Duration(random.IntN(3000)) * time.Millisecond)
			default:
				now = now.Add(time.Duration(random.IntN(60)) * time.Millisecond)
			}
			verdict, next, err := limits.Spend(state, now, 1)
			ok(t, err)
			state = next
			if verdict.Allowed {
				admitted = append(admitted, now)
			}
		}
		worst, first := 0, 0
		for i, time := range admitted {
			for time.Sub(admitted[first]) >= period {
				first++
			}
			worst = max(worst, i-first+1)
		}
		if worst > c.most || worst < n {
			t.Errorf("%+v: a window of %d, want at most %d", c.opts, worst, c.most)
		}
	}
}

func TestSevenASecondIsSevenHundredInAHundredSeconds(t *testing.T) {
	limits := parseLimits(t, "7/second")
	var state []byte
	admitted := 0
	for ms := range 100_000 {
		verdict, next, err := limits.Spend(state, at.Add(time.Duration(ms)*time.Millisecond), 1)
		ok(t, err)
		state = next
		if verdict.Allowed {
			admitted++
		}
	}
	if admitted < 700 || admitted > 700+7-1 {
		t.Errorf("admitted %d", admitted)
	}
}

func TestGivingBackUndoesASpending(t *testing.T) {
	for algorithm, limits := range fiveOf(t) {
		first, one, err := limits.Spend(nil, at, 2)
		ok(t, err)
		_, all, err := limits.Spend(one, at, 3)
		ok(t, err)
		back, err := limits.GiveBack(all, first.At, at, 2)
		ok(t, err)
		verdict, _, err := limits.Spend(back, at, 2)
		ok(t, err)
		if !verdict.Allowed || verdict.Remaining != 0 {
			t.Errorf("%s: after giving two back: %+v", algorithm, verdict)
		}
		later := at.Add(time.Hour)
		_, anew, err := limits.Spend(back, later, 5)
		ok(t, err)
		stale, err := limits.GiveBack(anew, first.At, later, 2)
		ok(t, err)
		verdict, _, err = limits.Spend(stale, later, 1)
		ok(t, err)
		if verdict.Allowed {
			t.Errorf("%s: gave back an hour later what time had given back", algorithm)
		}
	}
}

func TestOtherLimitsRefillNothing(t *testing.T) {
	for from, before := range fiveOf(t) {
		_, spent, err := before.Spend(nil, at, 5)
		ok(t, err)
		for to, after := range fiveOf(t) {
			verdict, _, err := after.Spend(spent, at, 1)
			ok(t, err)
			if verdict.Allowed {
				t.Errorf("a state of %s is refilled by %s", from, to)
			}
		}
		larger := parseLimits(t, "8/minute")
		verdict, _, err := larger.Spend(spent, at, 0)
		ok(t, err)
		if verdict.Remaining > 3 {
			t.Errorf("a state of %s has %d left of eight", from, verdict.Remaining)
		}
	}
}

func TestSeveralLimitsAreSpentAllOrNothing(t *testing.T) {
	limits := parseLimits(t, "2/second; 3/hour")
	var state []byte
	for i, want := range []struct {
		after     time.Duration
		allowed   bool
		index     int
		remaining uint32
	}{
		{0, true, 0, 1},
		{0, true, 0, 0},
		{0, false, 0, 0},
		{2 * time.Second, true, 1, 0},
		{2 * time.Second, false, 1, 0},
	} {
		verdict, next, err := limits.Spend(state, at.Add(want.after), 1)
		ok(t, err)
		if verdict.Allowed != want.allowed || verdict.Index != want.index || verdict.Remaining != want.remaining {
			t.Errorf("%d: %+v", i, verdict)
		}
		state = next
	}
}

func TestHeadersAndBodyAreTheDocuments(t *testing.T) {
	limits := parseLimits(t, "5/minute")
	now := time.UnixMilli(1_700_000_000_500)
	refused, _, err := limits.Spend(nil, now, 6)
	ok(t, err)
	body, err := refused.Refusal("")
	ok(t, err)
	equal(t, "never", string(body), `{"error":{"code":"rate_limited","message":"Rate limit exceeded","details":{"limit":5,"remaining":5,"reset_time":1700000001,"retry_after":null}}}`)

	_, full, err := limits.Spend(nil, now, 5)
	ok(t, err)
	refused, _, err = limits.Spend(full, now, 1)
	ok(t, err)
	body, err = refused.Refusal("LUCID_ERR_3010")
	ok(t, err)
	equal(t, "body", string(body), `{"error":{"code":"LUCID_ERR_3010","message":"Rate limit exceeded","details":{"limit":5,"remaining":0,"reset_time":1700000061,"retry_after":12}}}`)
	headers, err := limits.Headers(refused, donjon.XRateLimit)
	ok(t, err)
	equal(t, "headers", fmt.Sprint(headers), "[[X-RateLimit-Limit 5] [X-RateLimit-Remaining 0] [X-RateLimit-Reset 1700000061] [Retry-After 12]]")
	both, err := limits.Headers(refused, donjon.XRateLimit|donjon.IETFRateLimit)
	ok(t, err)
	if len(both) != 6 {
		t.Errorf("both: %v", both)
	}
	if _, err := limits.Headers(refused, 1<<20); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("unknown fields: %v", err)
	}
}

func TestScriptsAreOnePerAlgorithm(t *testing.T) {
	for algorithm, limits := range fiveOf(t) {
		script, err := limits.Script()
		ok(t, err)
		if !strings.Contains(script, "redis.call") {
			t.Errorf("%s: %q", algorithm, script)
		}
		args, err := limits.ScriptArgs(3, at)
		ok(t, err)
		byServer, err := limits.ScriptArgs(3, time.Time{})
		ok(t, err)
		if len(args) == 0 || len(args) != len(byServer) || slices.Equal(args, byServer) {
			t.Errorf("%s: %q and %q", algorithm, args, byServer)
		}
		var different []string
		for cost := range uint32(4) {
			args, err := limits.ScriptArgs(cost, time.Time{})
			ok(t, err)
			different = append(different, strings.Join(args, " "))
			args[0] = "overwritten"
			again, err := limits.ScriptArgs(cost, time.Time{})
			ok(t, err)
			equal(t, "again", strings.Join(again, " "), different[cost])
		}
		slices.Sort(different)
		equal(t, "costs", len(slices.Compact(different)), 4)
	}
	script, err := donjon.CompareAndSetScript()
	ok(t, err)
	if !strings.Contains(script, "redis.call") {
		t.Errorf("compare and set: %q", script)
	}
}

func TestVerdictsAreToldInMillisecondsHoweverLong(t *testing.T) {
	limits := limitsOf(t, donjon.LimitsOptions{Limits: "1/100 year", Burst: 20})
	now := time.UnixMilli(1_000)
	verdict, _, err := limits.Spend(nil, now, 20)
	ok(t, err)
	equal(t, "reset after", verdict.ResetAfter, time.Duration(math.MaxInt64))
	text, err := json.Marshal(verdict)
	ok(t, err)
	equal(t, "JSON", string(text), `{"allowed":true,"never_allowed":false,"table_full":false,"limit":20,"remaining":0,"index":0,`+
		`"reset_after_ms":62208000000000,"retry_after_ms":0,"keep_ms":62208000000000,"at_ms":1000}`)
	headers, err := limits.Headers(verdict, donjon.XRateLimit)
	ok(t, err)
	equal(t, "reset", headers[2][1], "62208000001")
	never, _, err := limits.Spend(nil, now, 21)
	ok(t, err)
	text, err = json.Marshal(never)
	ok(t, err)
	if !strings.Contains(string(text), `"retry_after_ms":null`) || never.RetryAfter >= 0 {
		t.Errorf("never: %s", text)
	}
}
