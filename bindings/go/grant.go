package donjon

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A Grant is what one token says, besides what its [Issuer] always says.
type Grant struct {
	// Subject is the claim "sub": whom the token speaks for. A rotation takes it
	// from the token that is used.
	Subject string

	// Permissions and Roles are the claims of these names, left out if nil. An
	// empty list of permissions is none that the token is good for, as in
	// [SubjectOptions.Permissions]; without the list, its roles decide alone.
	Permissions, Roles []string

	// Claims are further claims. The registered ones, which the issuer sets, are
	// not among them: that is [ErrInvalidArgument].
	Claims map[string]any

	// TTL is how long the token is good, in whole seconds; if zero, as long as
	// its issuer says.
	TTL time.Duration

	// RevokedSince is when the subject was last logged out everywhere, if ever.
	// The token is stamped so that it outlives that.
	RevokedSince time.Time

	// Now is the time of issue; if zero, the present.
	Now time.Time
}

func (g *Grant) kernel() (abi.Grant, error) {
	ttl, err := whole(g.TTL, time.Second)
	if err != nil {
		return abi.Grant{}, err
	}
	claims, err := g.claims()
	if err != nil {
		return abi.Grant{}, err
	}
	return abi.Grant{
		Subject: g.Subject,
		Claims:  claims,
		TTL:     ttl,
		Since:   optionalSeconds(g.RevokedSince),
		Now:     nowOr(g.Now).Unix(),
	}, nil
}

func (g *Grant) claims() (string, error) {
	var d document
	if g.Permissions != nil {
		d.strings("permissions", g.Permissions)
	}
	if g.Roles != nil {
		d.strings("roles", g.Roles)
	}
	for _, name := range slices.Sorted(maps.Keys(g.Claims)) {
		value, err := json.Marshal(g.Claims[name])
		if err != nil {
			return "", err
		}
		d.raw(name, string(value))
	}
	return d.end(), nil
}
