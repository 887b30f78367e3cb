package donjon

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// RevocationSetOptions are the optional parts of [RevocationSetHandler].
type RevocationSetOptions struct {
	// ValidFor is how long a set is good, in whole seconds up to a day; if zero, five
	// minutes. A verifier that gets no new one refuses every token after that.
	ValidFor time.Duration

	// MaxAge is how long a set is given to all who ask before the store is read anew, in
	// whole seconds; if zero, 5.
	MaxAge time.Duration

	// Logger is told why there is no set.
	Logger *slog.Logger
}

// RevocationSetHandler publishes what is revoked, for verifiers that do not ask the
// store: a [RevocationSetClient], or in another language. It signs with the keyring that
// current returns. A set says nothing of who was revoked to whoever does not know the
// token.
func RevocationSetHandler(revocations *Revocations, current func() *Keyring, opts RevocationSetOptions) http.Handler {
	if opts.ValidFor == 0 {
		opts.ValidFor = 5 * time.Minute
	}
	if opts.MaxAge == 0 {
		opts.MaxAge = 5 * time.Second
	}
	return &revocationSetHandler{
		opts: opts, turn: make(chan struct{}, 1),
		publish: func(ctx context.Context) ([]byte, error) { return revocations.Publish(ctx, current(), opts.ValidFor) },
	}
}

type revocationSetHandler struct {
	opts    RevocationSetOptions
	publish func(context.Context) ([]byte, error)
	turn    chan struct{} // of who publishes

	mu    sync.Mutex
	set   []byte
	tag   string
	began time.Time // to be published
}

// publishTimeout is how long a set may take, whoever waits for it.
const publishTimeout = 30 * time.Second

func (h *revocationSetHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !allows(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	set, tag, err := h.current(r.Context())
	if err != nil {
		refuse(w, r, toldOf(r, err, h.opts.Logger), httpStatus(err), logged(err))
		return
	}
	header := w.Header()
	header.Set("Cache-Control", "private, max-age="+strconv.Itoa(int(h.opts.MaxAge/time.Second)))
	header.Set("ETag", tag)
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Length", strconv.Itoa(len(set)))
	_, _ = w.Write(set) // a client that has gone needs no answer
}

// current returns a set that is young enough. One publishes it, and the others wait.
func (h *revocationSetHandler) current(ctx context.Context) ([]byte, string, error) {
	if set, tag := h.young(); set != nil {
		return set, tag, nil
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	if set, tag := h.young(); set != nil {
		return set, tag, nil
	}
	// Whoever waits after this one needs the set as well.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
	defer cancel()
	began := time.Now()
	set, err := h.publish(bounded)
	if err != nil {
		return nil, "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.set, h.tag, h.began = set, `"`+strconv.FormatInt(began.UnixNano(), 36)+`"`, began
	return h.set, h.tag, nil
}

func (h *revocationSetHandler) young() (set []byte, tag string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.began) >= h.opts.MaxAge {
		return nil, ""
	}
	return h.set, h.tag
}
