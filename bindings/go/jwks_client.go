package donjon

import (
	"context"
	"errors"
	"fmt"
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
// most, the kernel decides, so that made-up key ids make no storm. A set stays in
// use while it is fetched anew, and if that fails.
type JWKSClient struct {
	opts     JWKSOptions
	now      func() time.Time // what tokens are verified by
	began    time.Time        // what the age of the set is counted from, by the monotonic clock
	verifier atomic.Pointer[Verifier]
	keys     atomic.Pointer[Keyring]
	askAt    atomic.Int64 // the age of the client, in ms, from when on the kernel may find the set old

	mu     sync.Mutex
	state  []byte  // the kernel's, about past fetches
	flight *flight // the fetch that is under way
	closed bool
}

// NewJWKSClient makes a client. It fetches nothing yet.
func NewJWKSClient(opts JWKSOptions) (*JWKSClient, error) {
	opts, err := opts.checked()
	if err != nil {
		return nil, err
	}
	client := &JWKSClient{opts: opts, now: time.Now, began: time.Now()}
	if err := client.rehearse(); err != nil {
		return nil, err
	}
	return client, nil
}

// rehearse finds what is wrong with the options, while somebody looks.
func (c *JWKSClient) rehearse() error {
	if _, err := c.ask(nil, abi.JWKSPeriodic); err != nil {
		return misconfigured("", "the cooldown or the greatest age is out of range")
	}
	verifier, keys, err := c.verifierOf([]byte(`{"keys":[]}`))
	_, _ = verifier.Close(), keys.Close()
	return err
}

// Verify is [JWKSClient.VerifyContext] without a context.
func (c *JWKSClient) Verify(token string) (*Claims, error) {
	return c.VerifyContext(context.Background(), token)
}

// VerifyContext verifies token and returns its claims. For the first key set, and
// for one that may have the unknown key that token names, it waits until ctx is
// done; for a set that is merely younger it does not wait.
func (c *JWKSClient) VerifyContext(ctx context.Context, token string) (*Claims, error) {
	verifier, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	claims, err := verifier.VerifyAt(token, c.now())
	if !errors.Is(err, ErrUnknownKey) {
		return claims, err
	}
	flight, failed := c.board(abi.JWKSUnknownKey)
	if failed != nil {
		return nil, failed
	}
	if err := flight.wait(ctx); err != nil {
		return nil, err
	}
	if newer := c.verifier.Load(); newer != verifier {
		return newer.VerifyAt(token, c.now())
	}
	return nil, err
}

// current returns the verifier of the last key set, and has an old set fetched
// anew. It waits only if there is no set yet.
func (c *JWKSClient) current(ctx context.Context) (*Verifier, error) {
	if c == nil || c.now == nil {
		return nil, ErrClosed
	}
	if c.age() >= c.askAt.Load() {
		flight, err := c.board(abi.JWKSPeriodic)
		if err != nil {
			return nil, err
		}
		if c.verifier.Load() == nil {
			if err := flight.wait(ctx); err != nil {
				return nil, err
			}
		}
	}
	verifier := c.verifier.Load()
	if verifier == nil {
		return nil, ErrKeysUnavailable
	}
	return verifier, nil
}

// Keyring returns the last key set, for a [RevocationSetClient] of the same issuer. It
// is not to be closed. It is nil if none can be had.
func (c *JWKSClient) Keyring() *Keyring {
	if _, err := c.current(context.Background()); err != nil {
		return nil
	}
	return c.keys.Load()
}

func (c *JWKSClient) fetch() (*Verifier, *Keyring, error) {
	set, err := c.opts.fetch(context.Background())
	if err != nil {
		return nil, nil, err
	}
	return c.verifierOf(set)
}

func (c *JWKSClient) verifierOf(set []byte) (*Verifier, *Keyring, error) {
	keys, err := ParseKeyring(set)
	if err != nil {
		return nil, nil, fmt.Errorf("donjon: key set refused: %w", err)
	}
	verifier, err := NewVerifier(keys, c.opts.Verifier)
	if err != nil {
		return nil, nil, errors.Join(err, keys.Close())
	}
	return verifier, keys, nil
}

// Close releases the keys. It returns nil, always.
func (c *JWKSClient) Close() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.askAt.Store(0) // so that the next call finds out
	return errors.Join(c.verifier.Load().Close(), c.keys.Load().Close())
}
