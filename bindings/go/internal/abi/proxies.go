package abi

/*
#include <donjon.h>

#cgo noescape donjon_proxies_client
#cgo nocallback donjon_proxies_client
#cgo nocallback donjon_proxies_free
*/
import "C"

// Proxies is a donjon_proxies.
type Proxies struct{ p *C.donjon_proxies }

// Client is donjon_client.
type Client struct {
	IP, Bucket string
	FromHeader bool
}

// NewProxies is donjon_proxies_new.
func NewProxies(config string) (p Proxies, status int32) {
	c, n := in(config)
	status = int32(C.donjon_proxies_new(c, n, &p.p))
	return p, status
}

// ProxiesDiagnose is donjon_proxies_diagnose.
func ProxiesDiagnose(config string) ([]byte, int32) {
	c, n := in(config)
	return filled(answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_proxies_diagnose(c, n, out, size, written)
	})
}

// Client is donjon_proxies_client. Lines are separated by line feeds.
func (p Proxies) Client(peer, lines string) (Client, int32) {
	pp, pn := in(peer)
	lp, ln := in(lines)
	var client C.donjon_client
	if status := int32(C.donjon_proxies_client(p.p, pp, pn, lp, ln, &client)); status != StatusOK {
		return Client{}, status
	}
	return Client{
		IP:         Text(copied(&client.ip[0], C.int(client.ip_len))),
		Bucket:     Text(copied(&client.bucket[0], C.int(client.bucket_len))),
		FromHeader: client.from_header != 0,
	}, StatusOK
}

// Free is donjon_proxies_free.
func (p Proxies) Free() { C.donjon_proxies_free(p.p) }
