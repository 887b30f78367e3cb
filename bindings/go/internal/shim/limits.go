package shim

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

func limitParse(r *request) func(*answer) error {
	spec := r.text("spec")
	return func(a *answer) error {
		limits, err := donjon.ParseLimits(spec)
		if err != nil {
			return err
		}
		var items []string
		for _, item := range limits.Items() {
			var one answer
			one.int("amount", int64(item.Rate))
			one.int("period_s", int64(item.Period/time.Second))
			items = append(items, string(one.end()))
		}
		a.raw("limits", "["+strings.Join(items, ",")+"]")
		return nil
	}
}

// spendFields are a cost, and the state that it is spent of.
type spendFields struct {
	state []byte
	now   time.Time
	cost  uint32
}

func readSpending(r *request) spendFields {
	return spendFields{r.hexOrNull("state_hex"), time.UnixMilli(r.int("now_ms")), r.u32("cost")}
}

func (f spendFields) spend(config []byte) (*donjon.Limits, donjon.Verdict, []byte, error) {
	limits, err := donjon.LimitsFromConfig(config)
	if err != nil {
		return nil, donjon.Verdict{}, nil, err
	}
	verdict, next, err := limits.Spend(f.state, f.now, f.cost)
	return limits, verdict, next, err
}

// verdict answers members of a verdict, in this order.
func (a *answer) verdict(v donjon.Verdict, members ...string) error {
	text, err := v.MarshalJSON()
	if err != nil {
		return err
	}
	var told map[string]json.RawMessage
	if err := json.Unmarshal(text, &told); err != nil {
		return err
	}
	for _, member := range members {
		a.raw(member, string(told[member]))
	}
	return nil
}

func limitApply(r *request) func(*answer) error {
	algorithm, amount, period := r.text("algorithm"), r.int("amount"), r.int("period_s")
	var config answer
	config.string("limits", strconv.FormatInt(amount, 10)+" per "+strconv.FormatInt(period, 10)+" second")
	config.string("algorithm", algorithm)
	if r.optional("burst") != "" {
		config.int("burst", r.int("burst"))
	}
	spending := readSpending(r)
	return func(a *answer) error {
		_, verdict, next, err := spending.spend(config.end())
		if err != nil {
			return err
		}
		err = a.verdict(verdict, "allowed", "never_allowed", "limit", "remaining", "reset_after_ms", "retry_after_ms")
		a.hex("state_hex", next)
		return err
	}
}

func limitsSpend(r *request) func(*answer) error {
	config, spending := r.raw("config"), readSpending(r)
	return func(a *answer) error {
		_, verdict, next, err := spending.spend(config)
		if err != nil {
			return err
		}
		err = a.verdict(verdict, "allowed", "never_allowed", "limit", "remaining", "index",
			"reset_after_ms", "retry_after_ms", "keep_ms")
		a.hex("state_hex", next)
		return err
	}
}

func limitsGiveBack(r *request) func(*answer) error {
	config, spending := r.raw("config"), readSpending(r)
	spentAt := time.UnixMilli(r.int("spent_at_ms"))
	return func(a *answer) error {
		limits, err := donjon.LimitsFromConfig(config)
		if err != nil {
			return err
		}
		next, err := limits.GiveBack(spending.state, spentAt, spending.now, spending.cost)
		if err != nil {
			return err
		}
		a.hex("state_hex", next)
		return nil
	}
}

func limitsHeaders(r *request) func(*answer) error {
	config, spending := r.raw("config"), readSpending(r)
	fields := donjon.XRateLimit
	if r.bool("ietf") {
		fields |= donjon.IETFRateLimit
	}
	return func(a *answer) error {
		limits, verdict, _, err := spending.spend(config)
		if err != nil {
			return err
		}
		headers, err := limits.Headers(verdict, fields)
		if err != nil {
			return err
		}
		pairs := make([]string, len(headers))
		for i, pair := range headers {
			pairs[i] = list(pair[:])
		}
		a.raw("headers", "["+strings.Join(pairs, ",")+"]")
		return nil
	}
}

func limitsRefusal(r *request) func(*answer) error {
	config, spending := r.raw("config"), readSpending(r)
	code := r.optionalText("code")
	return func(a *answer) error {
		_, verdict, _, err := spending.spend(config)
		if err != nil {
			return err
		}
		return a.document("body")(verdict.Refusal(code))
	}
}

func limitsDescribe(r *request) func(*answer) error {
	config := r.raw("config")
	return func(a *answer) error {
		limits, err := donjon.LimitsFromConfig(config)
		if err != nil {
			return err
		}
		return a.document("description")(limits.MarshalJSON())
	}
}

func limitsDiagnose(r *request) func(*answer) error {
	config := r.text("config")
	return func(a *answer) error {
		var diagnosis *donjon.ConfigError
		_, err := donjon.LimitsFromConfig([]byte(config))
		switch {
		case err == nil:
			a.string("status", "ok")
			a.raw("path", "null")
			a.raw("message", "null")
		case errors.As(err, &diagnosis):
			a.string("status", diagnosis.Code.String())
			a.string("path", diagnosis.Path)
			a.string("message", diagnosis.Message)
		default:
			return err
		}
		return nil
	}
}

func limitsScript(r *request) func(*answer) error {
	config := r.raw("config")
	return func(a *answer) error {
		limits, err := donjon.LimitsFromConfig(config)
		if err != nil {
			return err
		}
		script, err := limits.Script()
		a.string("script", script)
		return err
	}
}

func limitsScriptArgs(r *request) func(*answer) error {
	config, cost := r.raw("config"), r.u32("cost")
	var now time.Time
	if ms := r.intOrNull("now_ms"); ms != abi.Never {
		now = time.UnixMilli(ms)
	}
	return func(a *answer) error {
		limits, err := donjon.LimitsFromConfig(config)
		if err != nil {
			return err
		}
		args, err := limits.ScriptArgs(cost, now)
		a.strings("args", args)
		return err
	}
}

func compareAndSetScript(*request) func(*answer) error {
	return func(a *answer) error {
		script, err := donjon.CompareAndSetScript()
		a.string("script", script)
		return err
	}
}

func limitProfiles(*request) func(*answer) error {
	return func(a *answer) error { return a.document("profiles")(donjon.LimitProfilesJSON()) }
}

func withLockout(keys []byte, use func(*donjon.Lockout) error) error {
	keyring, err := donjon.ParseKeyring(keys)
	if err != nil {
		return err
	}
	defer keyring.Close()
	lockout, err := donjon.NewLockout(keyring, nil, nil)
	if err != nil {
		return err
	}
	defer lockout.Close()
	return use(lockout)
}

func lockoutCounters(r *request) func(*answer) error {
	keys := r.raw("keyring")
	logIn := donjon.LogIn{
		Account: r.text("account"), Address: r.text("address"),
		Subject: r.text("subject"), State: r.text("state"), Device: r.text("device"),
	}
	now := time.Unix(r.int("now_s"), 0)
	return func(a *answer) error {
		return withLockout(keys, func(lockout *donjon.Lockout) error {
			return a.document("counters")(lockout.CountersJSON(logIn, now))
		})
	}
}

func lockoutDeviceToken(r *request) func(*answer) error {
	keys, subject, state := r.raw("keyring"), r.text("subject"), r.text("state")
	now, ttl := time.Unix(r.int("now_s"), 0), duration(r.int("ttl_s"), time.Second)
	entropy := r.hex("entropy_hex")
	return func(a *answer) error {
		return withLockout(keys, func(lockout *donjon.Lockout) error {
			var token string
			var err error
			if status := abi.WithEntropy(entropy, func() { token, err = lockout.DeviceTokenAt(subject, state, ttl, now) }); status != abi.StatusOK {
				return &donjon.Error{Code: donjon.Code(status)}
			}
			if err != nil {
				return err
			}
			a.string("token", token)
			return nil
		})
	}
}

func clientIP(r *request) func(*answer) error {
	peer, lines := r.text("peer"), r.texts("lines")
	var config answer
	for _, member := range []string{"header", "trusted", "hops", "ipv6_prefix"} {
		if raw, ok := r.members[member]; ok {
			config.raw(member, string(raw))
		}
	}
	if config.text == nil {
		config.text = []byte{'{'}
	}
	return func(a *answer) error {
		proxies, err := donjon.ParseProxies(config.end())
		if err != nil {
			return err
		}
		client, err := proxies.ClientOf(peer, lines)
		if err != nil {
			return err
		}
		a.string("ip", client.IP)
		a.string("bucket", client.Bucket)
		a.bool("from_header", client.FromHeader)
		return nil
	}
}
