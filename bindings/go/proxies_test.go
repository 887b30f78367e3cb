package donjon_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

func proxiesOf(t testing.TB, opts donjon.ProxiesOptions) *donjon.Proxies {
	t.Helper()
	proxies, err := donjon.NewProxies(opts)
	ok(t, err)
	return proxies
}

func request(peer string, header http.Header) *http.Request {
	return &http.Request{RemoteAddr: peer, Header: header}
}

func TestNobodyIsBelievedUnlessNamed(t *testing.T) {
	r := request("203.0.113.7:4711", http.Header{
		"X-Forwarded-For": {"1.2.3.4"}, "Forwarded": {"for=1.2.3.4"}, "X-Real-Ip": {"1.2.3.4"}, "Client-Ip": {"1.2.3.4"},
	})
	for _, proxies := range []*donjon.Proxies{nil, new(donjon.Proxies), proxiesOf(t, donjon.ProxiesOptions{}), proxiesOf(t, donjon.ProxiesOptions{Header: donjon.XForwardedFor})} {
		client, err := proxies.Client(r)
		ok(t, err)
		equal(t, "client", client, donjon.Client{IP: "203.0.113.7", Bucket: "203.0.113.7"})
	}
}

// Attacks 47 and 47a.
func TestTheClientIsTheLastAddressThatIsNoProxy(t *testing.T) {
	trusting := func(header donjon.ProxyHeader) *donjon.Proxies {
		return proxiesOf(t, donjon.ProxiesOptions{Header: header, Trusted: []string{"10.0.0.0/8", "2001:db8:ffff::/48"}})
	}
	for name, c := range map[string]struct {
		proxies *donjon.Proxies
		peer    string
		header  http.Header
		want    string
	}{
		"from an untrusted peer":  {trusting(donjon.XForwardedFor), "203.0.113.7:1", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, "203.0.113.7"},
		"the rightmost untrusted": {trusting(donjon.XForwardedFor), "10.0.0.1:1", http.Header{"X-Forwarded-For": {"6.6.6.6, 1.2.3.4, 10.9.9.9"}}, "1.2.3.4"},
		"several lines":           {trusting(donjon.XForwardedFor), "10.0.0.1:1", http.Header{"X-Forwarded-For": {"6.6.6.6", "1.2.3.4", "10.9.9.9"}}, "1.2.3.4"},
		"with a port":             {trusting(donjon.XForwardedFor), "10.0.0.1:1", http.Header{"X-Forwarded-For": {"1.2.3.4:5678"}}, "1.2.3.4"},
		"in brackets":             {trusting(donjon.XForwardedFor), "[2001:db8:ffff::1]:1", http.Header{"X-Forwarded-For": {"[2001:db8::5]:99"}}, "2001:db8::5"},
		"with a zone":             {trusting(donjon.XForwardedFor), "10.0.0.1:1", http.Header{"X-Forwarded-For": {"fe80::1%eth0"}}, "fe80::1"},
		"mapped":                  {trusting(donjon.XForwardedFor), "[::ffff:10.0.0.1]:1", http.Header{"X-Forwarded-For": {"::ffff:1.2.3.4"}}, "1.2.3.4"},
		"junk":                    {trusting(donjon.XForwardedFor), "10.0.0.1:1", http.Header{"X-Forwarded-For": {"1.2.3.4, unknown"}}, "10.0.0.1"},
		"nothing":                 {trusting(donjon.XForwardedFor), "10.0.0.1:1", http.Header{}, "10.0.0.1"},
		"all proxies":             {trusting(donjon.XForwardedFor), "10.0.0.1:1", http.Header{"X-Forwarded-For": {"10.0.0.3, 10.0.0.2"}}, "10.0.0.3"},
		"another header":          {trusting(donjon.XForwardedFor), "10.0.0.1:1", http.Header{"Forwarded": {"for=1.2.3.4"}, "X-Real-Ip": {"1.2.3.4"}}, "10.0.0.1"},
		"RFC 7239":                {trusting(donjon.Forwarded), "10.0.0.1:1", http.Header{"Forwarded": {`for=6.6.6.6, For="[2001:db8::7]:4711";proto=https`}}, "2001:db8::7"},
		"X-Real-IP":               {trusting(donjon.XRealIP), "10.0.0.1:1", http.Header{"X-Real-Ip": {"1.2.3.4"}}, "1.2.3.4"},
		"X-Real-IP twice":         {trusting(donjon.XRealIP), "10.0.0.1:1", http.Header{"X-Real-Ip": {"6.6.6.6", "1.2.3.4"}}, "10.0.0.1"},
		"two hops": {proxiesOf(t, donjon.ProxiesOptions{Header: donjon.XForwardedFor, Hops: 2}), "10.0.0.1:1",
			http.Header{"X-Forwarded-For": {"6.6.6.6, 1.2.3.4, 10.0.0.2"}}, "1.2.3.4"},
		"two hops, one entry": {proxiesOf(t, donjon.ProxiesOptions{Header: donjon.XForwardedFor, Hops: 2}), "10.0.0.1:1",
			http.Header{"X-Forwarded-For": {"6.6.6.6"}}, "10.0.0.1"},
		"a Unix socket's proxy": {proxiesOf(t, donjon.ProxiesOptions{Header: donjon.XForwardedFor, Hops: 1}), "@",
			http.Header{"X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
	} {
		client, err := c.proxies.Client(request(c.peer, c.header))
		if err != nil || client.IP != c.want {
			t.Errorf("%s: %+v, %v, want %s", name, client, err, c.want)
		}
		equal(t, name+": from the header", client.FromHeader, !strings.Contains(c.peer, c.want))
	}
}

// Attack 48.
func TestAnIPv6NetworkIsOneBucket(t *testing.T) {
	for _, peer := range []string{"[2001:db8:1:2::1]:80", "[2001:db8:1:2:ffff:ffff:ffff:ffff]:80"} {
		client, err := (*donjon.Proxies)(nil).Client(request(peer, nil))
		ok(t, err)
		equal(t, "bucket", client.Bucket, "2001:db8:1:2::/64")
	}
	wide := proxiesOf(t, donjon.ProxiesOptions{IPv6Prefix: 48})
	client, err := wide.ClientOf("2001:db8:1:2::1", nil)
	ok(t, err)
	equal(t, "bucket", client.Bucket, "2001:db8:1::/48")
}

func TestRefusedProxiesSayWhy(t *testing.T) {
	for name, opts := range map[string]donjon.ProxiesOptions{
		"another header":   {Header: "client-ip"},
		"both":             {Header: donjon.XForwardedFor, Trusted: []string{"10.0.0.0/8"}, Hops: 1},
		"host bits":        {Header: donjon.XForwardedFor, Trusted: []string{"10.0.0.1/8"}},
		"no network":       {Header: donjon.XForwardedFor, Trusted: []string{"example.com"}},
		"negative hops":    {Header: donjon.XForwardedFor, Hops: -1},
		"a prefix of 16":   {IPv6Prefix: 16},
		"a prefix of 129":  {IPv6Prefix: 129},
		"a mapped network": {Header: donjon.XForwardedFor, Trusted: []string{"::ffff:10.0.0.0/104"}},
	} {
		_, err := donjon.NewProxies(opts)
		var refused *donjon.ConfigError
		if !errors.As(err, &refused) || !errors.Is(err, donjon.ErrConfig) || refused.Message == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := donjon.ParseProxies([]byte(`{"header":"x-forwarded-for","hops":1,"hops":2}`)); !errors.Is(err, donjon.ErrConfig) {
		t.Errorf("a member twice: %v", err)
	}
}

func TestProxiesAreReadFromTheKernelsDocument(t *testing.T) {
	for config, want := range map[string]string{
		"":                                      "203.0.113.7",
		`{}`:                                    "203.0.113.7",
		`{"header":null}`:                       "203.0.113.7",
		`{"header":"x-real-ip","hops":1}`:       "1.2.3.4",
		`{"hops":1,"header":"x-forwarded-for"}`: "5.6.7.8",
		`{"header":"forwarded","trusted":["203.0.113.0/24"]}`: "9.9.9.9",
	} {
		proxies, err := donjon.ParseProxies([]byte(config))
		ok(t, err)
		client, err := proxies.Client(request("203.0.113.7:1", http.Header{
			"X-Real-Ip": {"1.2.3.4"}, "X-Forwarded-For": {"5.6.7.8"}, "Forwarded": {"for=9.9.9.9"},
		}))
		ok(t, err)
		equal(t, config, client.IP, want)
	}
}

func TestAPeerWithoutAnAddressIsMalformed(t *testing.T) {
	for _, peer := range []string{"", "@", "/run/service.sock", "localhost:80", "1.2.3:80", "1.2.3.4.5", "\xff", strings.Repeat("1", 1<<20)} {
		if client, err := (*donjon.Proxies)(nil).ClientOf(peer, nil); !errors.Is(err, donjon.ErrMalformed) {
			t.Errorf("%.20q: %+v, %v", peer, client, err)
		}
	}
	for _, text := range hostile {
		proxies := proxiesOf(t, donjon.ProxiesOptions{Header: donjon.XForwardedFor, Hops: 1})
		client, err := proxies.ClientOf("203.0.113.7", []string{text})
		if err != nil || client.IP != "203.0.113.7" {
			t.Errorf("%.20q: %+v, %v", text, client, err)
		}
	}
}
