package donjon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// ErrKeysUnavailable is returned while a [JWKSClient] has never got a key set.
// It is the service's failure, not the client's.
var ErrKeysUnavailable = errors.New("donjon: no key set available")

// A JWKSClient verifies the tokens of an issuer elsewhere, by the keys that the
// issuer publishes. It fetches them when it first needs them, when they have
// become old, and when a token names a key that it does not know; how often at
// most, the kernel decides, so that made-up key ids make no storm. A set that
// could not be fetched anew stays in use.
type JWKSClient struct {
	opts     JWKSOptions
	now      func() time.Time
	verifier atomic.Pointer[Verifier]
	askAt    atomic.Int64 // Unix ms from when on the kernel may find the set old

	mu     sync.Mutex
	state  []byte  // the kernel's, about past fetches
	flight *flight // the fetch that is under way
	closed bool
}

// A flight is one fetch, which all wait for who want one meanwhile.
type flight struct {
	landed chan struct{}
}

// NewJWKSClient makes a client. It fetches nothing yet.
func NewJWKSClient(opts JWKSOptions) (*JWKSClient, error) {
	opts, err := opts.checked()
	if err != nil {
		return nil, err
	}
	client := &JWKSClient{opts: opts, now: time.Now}
	if err := client.rehearse(); err != nil {
		return nil, ErrConfig
	}
	return client, nil
}

// rehearse finds what is wrong with the options, while somebody looks.
func (c *JWKSClient) rehearse() error {
	if _, err := c.ask(nil, abi.JWKSPeriodic); err != nil {
		return err
	}
	verifier, err := c.verifierOf([]byte(`{"keys":[]}`))
	_ = verifier.Close()
	return err
}

// Verify is [JWKSClient.VerifyContext] without a context.
func (c *JWKSClient) Verify(token string) (*Claims, error) {
	return c.VerifyContext(context.Background(), token)
}

// VerifyContext verifies token and returns its claims. It waits for a fetch, if
// one is due, until ctx is done.
func (c *JWKSClient) VerifyContext(ctx context.Context, token string) (*Claims, error) {
	if c.now().UnixMilli() >= c.askAt.Load() {
		if err := c.refresh(ctx, abi.JWKSPeriodic); err != nil {
			return nil, err
		}
	}
	verifier := c.verifier.Load()
	if verifier == nil {
		return nil, ErrKeysUnavailable
	}
	claims, err := verifier.VerifyAt(token, c.now())
	if !errors.Is(err, ErrUnknownKey) {
		return claims, err
	}
	if err := c.refresh(ctx, abi.JWKSUnknownKey); err != nil {
		return nil, err
	}
	if newer := c.verifier.Load(); newer != verifier {
		return newer.VerifyAt(token, c.now())
	}
	return nil, err
}

// refresh waits for the fetch that is under way, or for one that it starts if
// the kernel says so. Its error is the context's, or ErrClosed.
func (c *JWKSClient) refresh(ctx context.Context, event int32) error {
	flight, err := c.board(event)
	if flight == nil || err != nil {
		return err
	}
	select {
	case <-flight.landed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *JWKSClient) board(event int32) (*flight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	if c.flight != nil {
		return c.flight, nil
	}
	verdict, err := c.decide(event)
	if err != nil {
		return nil, err
	}
	if !verdict.Fetch {
		if event == abi.JWKSPeriodic {
			c.askAt.Store(c.now().UnixMilli() + verdict.RetryAfterMS)
		}
		return nil, nil
	}
	c.flight = &flight{landed: make(chan struct{})}
	// Nobody's request: it goes on when those who wait have gone.
	go c.fly(c.flight)
	return c.flight, nil
}

func (c *JWKSClient) fly(f *flight) {
	defer close(f.landed)
	verifier, err := c.fetch()
	event := int32(abi.JWKSFetched)
	if err != nil {
		event = abi.JWKSFailed
		c.opts.Logger.Warn("key set not fetched", slog.String("url", c.opts.URL), slog.Any("error", err))
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight = nil
	if _, err := c.decide(event); err != nil {
		c.opts.Logger.Error("key set refresh undecided", slog.Any("error", err))
	}
	if c.closed {
		_ = verifier.Close()
		return
	}
	if verifier != nil {
		// The old one may be in use; it is released when it no longer is.
		c.verifier.Store(verifier)
	}
	c.askAt.Store(0)
}

// decide tells the kernel of an event and keeps its state. c.mu is held.
func (c *JWKSClient) decide(event int32) (abi.JWKSVerdict, error) {
	verdict, err := c.ask(c.state, event)
	if err == nil {
		c.state = verdict.State
	}
	return verdict, err
}

func (c *JWKSClient) ask(state []byte, event int32) (abi.JWKSVerdict, error) {
	verdict, status := abi.JWKSRefresh(abi.Text(state), event, c.now().UnixMilli(),
		c.opts.Cooldown.Milliseconds(), c.opts.MaxAge.Milliseconds())
	return verdict, failure(status)
}

func (c *JWKSClient) fetch() (*Verifier, error) {
	set, err := c.opts.fetch(context.Background())
	if err != nil {
		return nil, err
	}
	return c.verifierOf(set)
}

func (c *JWKSClient) verifierOf(set []byte) (*Verifier, error) {
	keys, err := ParseKeyring(set)
	if err != nil {
		return nil, fmt.Errorf("donjon: key set refused: %w", err)
	}
	defer keys.Close()
	return NewVerifier(keys, c.opts.Verifier)
}

// Close releases the keys. It returns nil, always.
func (c *JWKSClient) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.verifier.Load().Close()
}
