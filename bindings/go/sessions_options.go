package donjon

import (
	"strconv"
	"time"
)

// SessionsOptions say what sessions are like. What is zero is as the kernel has it.
type SessionsOptions struct {
	// IdleTimeout ends a session that is not used for so long, AbsoluteTimeout one that
	// is so old; in whole seconds; if zero, 8 hours and a day.
	IdleTimeout, AbsoluteTimeout time.Duration

	// TouchInterval is how exactly it is known when a session was last used; if zero, a
	// minute. Checks within it write nothing.
	TouchInterval time.Duration

	// MaxPerUser is how many sign-ins a user may have at once, with cookies and with
	// tokens, up to 64; if zero, 5. One more evicts the oldest or, with RefuseAtLimit, is
	// refused.
	MaxPerUser    int
	RefuseAtLimit bool

	// OnAddressChange is what becomes of a session that is used from another network; if
	// empty, [InvalidateOnChange]. IPv4Prefix and IPv6Prefix are how many bits of an
	// address are its network; if zero, 24 and 48.
	OnAddressChange        ChangePolicy
	IPv4Prefix, IPv6Prefix int

	// OnUserAgentChange is what becomes of a session that is used by another browser; if
	// empty, [ReportOnChange]. The versions in a User-Agent do not matter.
	OnUserAgentChange ChangePolicy

	// FamilyLifetime and FamilyIdleTimeout are how long the refresh tokens of a sign-in
	// can be renewed, and how long it may be left alone; in whole seconds; if zero, 30
	// days and 7.
	FamilyLifetime, FamilyIdleTimeout time.Duration

	// RefreshGrace is how long after its use a refresh token may be used once more, for
	// the client whose answer got lost; in milliseconds; if zero, [DefaultRefreshGrace].
	RefreshGrace   time.Duration
	NoRefreshGrace bool // it may not; RefreshGrace is then zero

	// Sealed has records encrypted, with the keyring's primary key for
	// [PurposeEnvelope]. The store never sees the id of a session, sealed or not.
	Sealed bool

	// Cookie is the cookie that has a session's id.
	Cookie SessionCookie

	// NoCSRFToken lets requests pass that other sites cannot make a browser send, by
	// what the browser says of their origin, without a token besides.
	NoCSRFToken bool

	// TrustedOrigins are other sites that may send requests, such as
	// "https://app.example.com".
	TrustedOrigins []string
}

// A ChangePolicy is what becomes of a session that is used from elsewhere.
type ChangePolicy string

// The policies.
const (
	InvalidateOnChange ChangePolicy = "invalidate" // it ends: [ErrInvalidSession]
	StepUpOnChange     ChangePolicy = "step_up"    // the user has to authenticate again: [ErrStepUpRequired]
	ReportOnChange     ChangePolicy = "report"     // [Session.Changes] says so
)

// A SessionCookie is a cookie that has a session's id. Scripts never see it.
type SessionCookie struct {
	// Name is its name; if empty, "__Host-session". One that begins with "__Host-" goes
	// to this host alone.
	Name string

	// SameSite is "lax", "strict" or "none"; if empty, "lax".
	SameSite string

	// Domain and Path are where the browser sends it; if empty, to this host alone, and
	// to all of it.
	Domain, Path string

	// UntilBrowserCloses makes it end with the browser's own session, as far as the
	// browser lets it, and not when the session does.
	UntilBrowserCloses bool

	// Insecure lets it go over HTTP, for development. Name is then one without "__".
	Insecure bool
}

func (o *SessionsOptions) document() (string, error) {
	var d document
	for _, one := range []struct {
		name        string
		value, unit time.Duration
	}{
		{"idle_timeout_s", o.IdleTimeout, time.Second},
		{"absolute_timeout_s", o.AbsoluteTimeout, time.Second},
		{"touch_interval_s", o.TouchInterval, time.Second},
		{"family_lifetime_s", o.FamilyLifetime, time.Second},
		{"family_idle_timeout_s", o.FamilyIdleTimeout, time.Second},
		{"refresh_grace_ms", o.RefreshGrace, time.Millisecond},
	} {
		if err := d.duration(one.name, one.value, one.unit); err != nil {
			return "", err
		}
	}
	if o.NoRefreshGrace {
		if o.RefreshGrace != 0 {
			return "", misconfigured("refresh_grace_ms", "given, and waived")
		}
		d.number("refresh_grace_ms", 0)
	}
	if o.MaxPerUser != 0 {
		d.number("max_per_user", int64(o.MaxPerUser))
	}
	if o.RefuseAtLimit {
		d.string("at_limit", "refuse")
	}
	d.object("address", func(d *document) {
		d.optional("on_change", string(o.OnAddressChange))
		d.optionalNumber("ipv4_prefix", o.IPv4Prefix)
		d.optionalNumber("ipv6_prefix", o.IPv6Prefix)
	})
	d.object("user_agent", func(d *document) { d.optional("on_change", string(o.OnUserAgentChange)) })
	d.flag("sealed", o.Sealed, true)
	d.object("cookie", o.Cookie.members)
	if o.NoCSRFToken {
		d.string("csrf_token", "not_required")
	}
	if len(o.TrustedOrigins) > 0 {
		d.strings("trusted_origins", o.TrustedOrigins)
	}
	return d.end(), nil
}

func (c *SessionCookie) members(d *document) {
	d.optional("name", c.Name)
	d.optional("same_site", c.SameSite)
	d.optional("domain", c.Domain)
	d.optional("path", c.Path)
	d.flag("persistent", c.UntilBrowserCloses, false)
	d.flag("insecure", c.Insecure, true)
}

// object writes a member that is an object, unless nothing is in it.
func (d *document) object(name string, members func(*document)) {
	var inner document
	members(&inner)
	if text := inner.end(); text != "" {
		d.raw(name, text)
	}
}

func (d *document) optional(name, value string) {
	if value != "" {
		d.string(name, value)
	}
}

func (d *document) optionalNumber(name string, value int) {
	if value != 0 {
		d.number(name, int64(value))
	}
}

// flag writes a member that is value if it is set, and left out if it is not.
func (d *document) flag(name string, set, value bool) {
	if set {
		d.raw(name, strconv.FormatBool(value))
	}
}
