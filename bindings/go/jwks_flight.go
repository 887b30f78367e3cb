package donjon

import (
	"context"
	"log/slog"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A flight is one fetch, which all wait for who want one meanwhile.
type flight struct {
	landed chan struct{}
}

// age is how long the client exists, in milliseconds. A wall clock that is set,
// for however short a time, does not make key sets old or young.
func (c *JWKSClient) age() int64 { return time.Since(c.began).Milliseconds() }

// wait waits until the flight, if there is one, has landed or ctx is done.
func (f *flight) wait(ctx context.Context) error {
	if f == nil {
		return nil
	}
	select {
	case <-f.landed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// board returns the flight that is under way, or one that it starts if the
// kernel says so, or nil.
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
			c.askAt.Store(c.age() + verdict.RetryAfterMS)
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
	verifier, keys, err := c.fetch()
	event := int32(abi.JWKSFetched)
	if err != nil {
		event = abi.JWKSFailed
		c.opts.Logger.LogAttrs(context.Background(), slog.LevelWarn, "key set not fetched",
			slog.String("host", c.opts.host()), slog.Attr{Key: "error", Value: logged(err)})
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight = nil
	if _, err := c.decide(event); err != nil {
		c.opts.Logger.Error("key set refresh undecided", slog.Any("error", err))
	}
	if c.closed {
		_, _ = verifier.Close(), keys.Close()
		return
	}
	if verifier != nil {
		// The old ones may be in use; they are released when they no longer are.
		c.keys.Store(keys)
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
	verdict, status := abi.JWKSRefresh(abi.Text(state), event, c.age(),
		c.opts.Cooldown.Milliseconds(), c.opts.MaxAge.Milliseconds())
	return verdict, failure(status)
}
