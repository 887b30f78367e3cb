package donjon

import (
	"net/http"
	"runtime"
	"strings"
	"sync"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// Proxies say whom a service believes about where a request comes from: nobody,
// unless told. A service decides it once, and limits, lock-outs and whatever else
// asks for an address all use the same.
//
// A nil or zero Proxies believes nobody: the client is the peer.
type Proxies struct {
	kept   *kept[abi.Proxies]
	header string
}

// A ProxyHeader is the one header that a service's proxies write. All others are
// ignored: a client may have written them.
type ProxyHeader string

// The headers.
const (
	XForwardedFor ProxyHeader = "x-forwarded-for"
	Forwarded     ProxyHeader = "forwarded" // RFC 7239
	XRealIP       ProxyHeader = "x-real-ip"
)

// ProxiesOptions say what [NewProxies] makes.
type ProxiesOptions struct {
	// Header is what the proxies write; if empty, nothing.
	Header ProxyHeader

	// Trusted are the networks that the proxies are in, as in "10.0.0.0/8": the
	// client is the last address in the header that is not in them, if the peer is.
	Trusted []string

	// Hops is how many proxies there are, in place of Trusted: the client is that
	// many addresses from the end. The service must then be reachable through them
	// only.
	Hops int

	// IPv6Prefix is how many bits of an IPv6 address make the [Client.Bucket], from
	// 32 to 128; if zero, 64.
	IPv6Prefix int
}

// NewProxies makes proxies.
func NewProxies(opts ProxiesOptions) (*Proxies, error) {
	var d document
	if opts.Header != "" {
		d.string("header", string(opts.Header))
	}
	if len(opts.Trusted) > 0 {
		d.raw("trusted", string(quote.AppendAll(nil, opts.Trusted)))
	}
	if opts.Hops != 0 {
		d.number("hops", int64(opts.Hops))
	}
	if opts.IPv6Prefix != 0 {
		d.number("ipv6_prefix", int64(opts.IPv6Prefix))
	}
	return newProxies(d.end(), opts.Header)
}

// ParseProxies is [NewProxies] of the kernel's own configuration document, a JSON
// object that is the same in every language.
func ParseProxies(config []byte) (*Proxies, error) {
	proxies, err := newProxies(abi.Text(config), "")
	if err != nil || len(config) == 0 {
		return proxies, err
	}
	named, err := decoded[struct {
		Header ProxyHeader `json:"header"`
	}](config, nil)
	if err != nil {
		return nil, err
	}
	proxies.header = string(named.Header)
	return proxies, nil
}

func newProxies(config string, header ProxyHeader) (*Proxies, error) {
	p, status := abi.NewProxies(config)
	err := accepted(status, func() ([]byte, int32) { return abi.ProxiesDiagnose(config) })
	if err != nil {
		return nil, err
	}
	return &Proxies{keep(p, abi.Proxies.Free), string(header)}, nil
}

// A Client is where a request comes from.
type Client struct {
	IP string // in its canonical form

	// Bucket is what to count the client by: the address or, for IPv6, its network,
	// as in "2001:db8:1:2::/64", for whoever has one address there has all of them.
	Bucket string

	// FromHeader says that a proxy has told, and that IP is not the peer's.
	FromHeader bool
}

// Client returns where a request of [net/http] comes from. That its peer has no
// address, as on a Unix socket, and no proxy may tell, is [ErrMalformed].
func (p *Proxies) Client(r *http.Request) (Client, error) {
	var lines []string
	if p != nil && p.header != "" {
		lines = r.Header.Values(p.header)
	}
	return p.ClientOf(r.RemoteAddr, lines)
}

// ClientOf returns where something comes from that peer has sent, an address with
// or without a port, with these lines of the header that the proxies write.
func (p *Proxies) ClientOf(peer string, lines []string) (Client, error) {
	believed, err := p.borrow()
	if err != nil {
		return Client{}, err
	}
	defer runtime.KeepAlive(believed)
	c, status := believed.object.Client(peer, strings.Join(lines, "\n"))
	if err := failure(status); err != nil {
		return Client{}, err
	}
	return Client(c), nil
}

// borrow returns what to keep alive for as long as its object is used.
func (p *Proxies) borrow() (*kept[abi.Proxies], error) {
	if p == nil || p.kept == nil {
		return nobody()
	}
	return p.kept, nil
}

// nobody is whom the zero Proxies believes.
var nobody = sync.OnceValues(func() (*kept[abi.Proxies], error) {
	proxies, err := newProxies("", "")
	if err != nil {
		return nil, err
	}
	return proxies.kept, nil
})
