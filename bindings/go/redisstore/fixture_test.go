package redisstore_test

import (
	"bufio"
	"context"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func limitsOf(t testing.TB, opts donjon.LimitsOptions) *donjon.Limits {
	t.Helper()
	limits, err := donjon.NewLimits(opts)
	ok(t, err)
	return limits
}

func parse(t testing.TB, spec string) *donjon.Limits {
	t.Helper()
	return limitsOf(t, donjon.LimitsOptions{Limits: spec})
}

// fiveOf has every algorithm, with a limit of five an hour.
func fiveOf(t testing.TB) map[donjon.LimitAlgorithm]*donjon.Limits {
	t.Helper()
	lock, err := donjon.LockoutLimits(donjon.LockoutLimitsOptions{Attempts: 5, Lock: time.Hour})
	ok(t, err)
	all := map[donjon.LimitAlgorithm]*donjon.Limits{"lockout": lock}
	for _, algorithm := range []donjon.LimitAlgorithm{
		donjon.GCRA, donjon.TokenBucket, donjon.FixedWindow, donjon.SlidingWindow, donjon.SlidingLog,
	} {
		all[algorithm] = limitsOf(t, donjon.LimitsOptions{Limits: "5/hour", Algorithm: algorithm})
	}
	return all
}

// reports collects what a limiter reports.
type reports struct {
	mu  sync.Mutex
	all []error
}

func (r *reports) report(_ context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, err)
}

func (r *reports) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

// commands reads the names of the commands that a client sends.
type commands struct{ *bufio.Reader }

func newCommands(r io.Reader) commands { return commands{bufio.NewReader(r)} }

func (c commands) next() (name string, err error) {
	n, err := c.length()
	for i := range n {
		size, err := c.length()
		if err != nil {
			return "", err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(c, text); err != nil {
			return "", err
		}
		if i == 0 {
			name = string(text[:size])
		}
	}
	return name, err
}

func (c commands) length() (int, error) {
	line, err := c.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimRight(line[1:], "\r\n"))
}
