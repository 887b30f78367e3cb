package donjon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// RevocationSetClientOptions say where a [RevocationSetClient] gets its sets.
type RevocationSetClientOptions struct {
	OfflineRevocationsOptions

	// URL is where the issuer publishes them. It is an https URL.
	URL       string
	AllowHTTP bool // permits http, for tests on the loopback

	// Interval is how often a set is fetched; if zero, 10 seconds. What is revoked is
	// refused after that, and what the publisher and a fetch take, as long as they work:
	// at the latest when the last set's time is over, and then everything is.
	Interval time.Duration

	// Timeout bounds a fetch as a whole; if zero, 5 seconds.
	Timeout time.Duration

	// MaxBytes bounds a set; if zero, 64 MiB.
	MaxBytes int64

	// Transport makes the requests; if nil, [http.DefaultTransport]. Redirects are never
	// followed.
	Transport http.RoundTripper
}

func (o RevocationSetClientOptions) checked() (RevocationSetClientOptions, error) {
	target, err := url.Parse(o.URL)
	if err != nil || target.Host == "" || target.Scheme != "https" && !(o.AllowHTTP && target.Scheme == "http") {
		return o, misconfigured("url", "not an https URL")
	}
	o.Interval = cmp.Or(o.Interval, 10*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.MaxBytes = cmp.Or(o.MaxBytes, 64<<20)
	if o.Interval < 0 || o.Timeout < 0 || o.MaxBytes < 0 {
		return o, misconfigured("", "a bound is negative")
	}
	return o, nil
}

// A RevocationSetClient refuses revoked tokens by the sets that an issuer elsewhere
// publishes, and fetches them by itself until it is closed. Check fits
// [RequireOptions.Check].
type RevocationSetClient struct {
	*OfflineRevocations
	opts  RevocationSetClientOptions
	tag   string        // of the last set that was good
	first chan struct{} // closed once the first set was fetched, or was not to be had
	stop  context.CancelFunc
	done  chan struct{}
}

// NewRevocationSetClient makes a client, and begins to fetch. Keys returns the public
// keys of the issuer, as [JWKSClient.Keyring] does, and is asked for every set.
func NewRevocationSetClient(keys func() *Keyring, opts RevocationSetClientOptions) (*RevocationSetClient, error) {
	opts, err := opts.checked()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	client := &RevocationSetClient{
		OfflineRevocations: NewOfflineRevocations(keys, opts.OfflineRevocationsOptions),
		opts:               opts, first: make(chan struct{}), stop: stop, done: make(chan struct{}),
	}
	go client.poll(ctx)
	return client, nil
}

// Check is [OfflineRevocations.Check]. It waits for the first fetch to end, well or not,
// until ctx is done.
func (c *RevocationSetClient) Check(ctx context.Context, claims *Claims) error {
	if c == nil || c.OfflineRevocations == nil {
		return ErrClosed
	}
	select {
	case <-c.first:
	case <-c.done:
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		return ErrRevocationSetStale
	}
	return c.OfflineRevocations.Check(ctx, claims)
}

// Update is as [OfflineRevocations.Update]: for a set that came by another way.
func (c *RevocationSetClient) Update(set []byte) error {
	if c == nil {
		return ErrClosed
	}
	return c.OfflineRevocations.Update(set)
}

// Info is as [OfflineRevocations.Info].
func (c *RevocationSetClient) Info() (*RevocationSetInfo, error) {
	if c == nil {
		return nil, ErrClosed
	}
	return c.OfflineRevocations.Info()
}

// poll fetches sets until the client is closed.
func (c *RevocationSetClient) poll(ctx context.Context) {
	defer close(c.done)
	tick := time.NewTicker(c.opts.Interval)
	defer tick.Stop()
	fetched := sync.OnceFunc(func() { close(c.first) })
	for {
		err := c.fetch(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, ErrStateStale) {
			c.OfflineRevocations.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "revocation set not fetched",
				slog.String("host", hostOf(c.opts.URL)), slog.Attr{Key: "error", Value: logged(err)})
		}
		fetched()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// fetch gets a set: bounded in size and time, from this URL and no other.
func (c *RevocationSetClient) fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.opts.URL, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/octet-stream")
	if c.tag != "" {
		request.Header.Set("If-None-Match", c.tag)
	}
	client := http.Client{
		Transport:     c.opts.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	var quoting *url.Error // which quotes the URL
	if errors.As(err, &quoting) {
		err = quoting.Err
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified && c.tag != "" {
		return nil
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("donjon: revocation set answered with status %d", response.StatusCode)
	}
	set, err := io.ReadAll(io.LimitReader(response.Body, c.opts.MaxBytes+1))
	if err != nil {
		return err
	}
	if int64(len(set)) > c.opts.MaxBytes {
		return ErrTooLarge
	}
	if err := c.Update(set); err != nil {
		return err
	}
	c.tag = response.Header.Get("ETag")
	return nil
}

// hostOf is what a log may have of a URL: the rest can be a secret.
func hostOf(text string) string {
	target, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return target.Host
}

// Close stops fetching, and releases the set. It returns nil, always.
func (c *RevocationSetClient) Close() error {
	if c == nil || c.OfflineRevocations == nil {
		return nil
	}
	c.stop()
	<-c.done
	return c.OfflineRevocations.Close()
}
