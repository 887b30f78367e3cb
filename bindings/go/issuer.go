package donjon

import (
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// An Issuer mints access and refresh tokens with the primary key for tokens.
type Issuer struct {
	handle *handle[abi.Issuer]
}

// IssuerOptions say what every token of an [Issuer] says. Issuer and audience
// are each given or waived; giving and waiving one is [ErrConfig], and so is
// neither.
type IssuerOptions struct {
	// Issuer is the claim "iss", such as "https://auth.example.com".
	Issuer   string
	NoIssuer bool // leaves the claim out

	// Audience is the claim "aud": the services that the tokens are for.
	Audience   []string
	NoAudience bool // leaves the claim out

	// AccessTTL and RefreshTTL are how long tokens are good, in whole seconds;
	// if zero, 30 minutes and 7 days.
	AccessTTL, RefreshTTL time.Duration
}

// NewIssuer makes an issuer that signs with keys.
func NewIssuer(keys *Keyring, opts IssuerOptions) (*Issuer, error) {
	config, err := opts.document()
	if err != nil {
		return nil, err
	}
	return newIssuer(keys, config)
}

// ParseIssuer is [NewIssuer] of the kernel's own configuration document, a JSON
// object that is the same in every language.
func ParseIssuer(keys *Keyring, config []byte) (*Issuer, error) {
	return newIssuer(keys, abi.Text(config))
}

func newIssuer(keys *Keyring, config string) (*Issuer, error) {
	k, err := keys.borrow()
	if err != nil {
		return nil, err
	}
	defer keys.handle.giveBack()
	i, status := abi.NewIssuer(k, config)
	err = accepted(status, func() ([]byte, int32) { return abi.IssuerDiagnose(k, config) })
	if err != nil {
		return nil, err
	}
	issuer := new(Issuer)
	issuer.handle = own(issuer, i, abi.Issuer.Free)
	return issuer, nil
}

func (o *IssuerOptions) document() (string, error) {
	var d document
	if err := d.expectation("issuer", o.NoIssuer, o.Issuer); err != nil {
		return "", err
	}
	if err := d.expectation("audience", o.NoAudience, o.Audience...); err != nil {
		return "", err
	}
	if err := d.duration("access_ttl_s", o.AccessTTL, time.Second); err != nil {
		return "", err
	}
	if err := d.duration("refresh_ttl_s", o.RefreshTTL, time.Second); err != nil {
		return "", err
	}
	return d.end(), nil
}

// Access mints an access token.
func (i *Issuer) Access(g Grant) (string, error) {
	grant, err := g.kernel()
	if err != nil {
		return "", err
	}
	issuer, err := i.borrow()
	if err != nil {
		return "", err
	}
	defer i.handle.giveBack()
	token, status := issuer.Access(grant)
	return token, failure(status)
}

// borrow is handle.borrow for an issuer that a caller passes, perhaps nil.
func (i *Issuer) borrow() (abi.Issuer, error) {
	if i == nil {
		return abi.Issuer{}, ErrClosed
	}
	return i.handle.borrow()
}

// Close releases the issuer. It returns nil, always.
func (i *Issuer) Close() error {
	if i != nil {
		i.handle.close()
	}
	return nil
}
