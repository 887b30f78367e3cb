package shim

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// drawing runs f on chosen bytes instead of the operating system's.
func drawing(entropy []byte, f func() error) error {
	var err error
	if status := abi.WithEntropy(entropy, func() { err = f() }); status != abi.StatusOK {
		return &donjon.Error{Code: donjon.Code(status)}
	}
	return err
}

func chunkedSeal(r *request) func(*answer) error {
	key, context := r.hex("key_hex"), r.hex("context_hex")
	salt, plaintext := r.hex("salt_hex"), r.hex("plaintext_hex")
	return func(a *answer) error {
		return drawing(salt, func() error {
			message, err := donjon.ChunkedSeal(key, context, plaintext)
			a.hex("message_hex", message)
			return err
		})
	}
}

func chunkedOpen(r *request) func(*answer) error {
	key, context, message := r.hex("key_hex"), r.hex("context_hex"), r.hex("message_hex")
	return func(a *answer) error {
		plaintext, err := donjon.ChunkedOpen(key, context, message)
		a.hex("plaintext_hex", plaintext)
		return err
	}
}

// sealerFields make a sealer of a keyring, and say when it is asked.
type sealerFields struct {
	keys []byte
	now  time.Time
}

func readSealer(r *request) sealerFields {
	return sealerFields{r.raw("keyring"), time.Unix(r.optionalInt("now_s", 0), 0)}
}

func (f sealerFields) with(use func(*donjon.Sealer) error) error {
	keyring, err := donjon.ParseKeyring(f.keys)
	if err != nil {
		return err
	}
	defer keyring.Close()
	sealer, err := donjon.NewSealer(keyring)
	if err != nil {
		return err
	}
	defer sealer.Close()
	return use(sealer)
}

func readContext(r *request) func() donjon.Context {
	parts := r.texts("context")
	return func() donjon.Context { return donjon.ContextOf(parts...) }
}

func envelopeSeal(r *request) func(*answer) error {
	fields, context := readSealer(r), readContext(r)
	plaintext, entropy := r.hex("plaintext_hex"), r.hex("entropy_hex")
	return func(a *answer) error {
		return fields.with(func(sealer *donjon.Sealer) error {
			return drawing(entropy, func() error {
				envelope, err := sealer.SealAt(context(), plaintext, fields.now)
				a.hex("envelope_hex", envelope)
				a.string("kid", sealer.KeyID())
				return err
			})
		})
	}
}

func envelopeOpen(r *request) func(*answer) error {
	fields, context, envelope := readSealer(r), readContext(r), r.hex("envelope_hex")
	return func(a *answer) error {
		return fields.with(func(sealer *donjon.Sealer) error {
			plaintext, err := sealer.OpenAt(context(), envelope, fields.now)
			a.hex("plaintext_hex", plaintext)
			return err
		})
	}
}

func envelopeRewrap(r *request) func(*answer) error {
	fields, envelope, entropy := readSealer(r), r.hex("envelope_hex"), r.hex("entropy_hex")
	return func(a *answer) error {
		return fields.with(func(sealer *donjon.Sealer) error {
			return drawing(entropy, func() error {
				rewrapped, err := sealer.RewrapAt(envelope, nil, fields.now)
				a.hex("envelope_hex", rewrapped)
				return err
			})
		})
	}
}

func envelopeNeedsRewrap(r *request) func(*answer) error {
	fields, envelope := readSealer(r), r.hex("envelope_hex")
	return func(a *answer) error {
		return fields.with(func(sealer *donjon.Sealer) error {
			needs, err := sealer.NeedsRewrap(envelope)
			a.bool("needs_rewrap", needs)
			return err
		})
	}
}

func envelopeInspect(r *request) func(*answer) error {
	envelope := r.hex("envelope_hex")
	return func(a *answer) error { return a.document("inspection")(donjon.InspectEnvelopeJSON(envelope)) }
}

// readPassphrase reads what makes a sealer of a passphrase, of these parameters.
func readPassphrase(r *request, opts *donjon.PassphraseOptions) func() (*donjon.Sealer, error) {
	passphrase := r.hex("passphrase_hex")
	return func() (*donjon.Sealer, error) { return donjon.SealerFromPassphrase(passphrase, opts) }
}

func readExternal(r *request) func() (*donjon.Sealer, error) {
	key := donjon.ExternalKey{DataKey: r.hex("data_key_hex"), KeyID: r.text("key_id"), Wrapped: r.hex("wrapped_key_hex")}
	return func() (*donjon.Sealer, error) { return donjon.SealerFromExternal(key) }
}

// sealing seals with the sealer that make makes, opening opens with it.
func sealing(r *request, make func() (*donjon.Sealer, error)) func(*answer) error {
	context, plaintext, entropy := readContext(r), r.hex("plaintext_hex"), r.hex("entropy_hex")
	return func(a *answer) error {
		sealer, err := make()
		if err != nil {
			return err
		}
		defer sealer.Close()
		return drawing(entropy, func() error {
			envelope, err := sealer.SealAt(context(), plaintext, time.Unix(0, 0))
			a.hex("envelope_hex", envelope)
			return err
		})
	}
}

func opening(r *request, make func() (*donjon.Sealer, error)) func(*answer) error {
	context, envelope := readContext(r), r.hex("envelope_hex")
	return func(a *answer) error {
		sealer, err := make()
		if err != nil {
			return err
		}
		defer sealer.Close()
		plaintext, err := sealer.OpenAt(context(), envelope, time.Unix(0, 0))
		a.hex("plaintext_hex", plaintext)
		return err
	}
}

func passphraseSeal(r *request) func(*answer) error {
	costs := donjon.PassphraseOptions{
		MemoryKiB: r.count("memory_kib"), TimeCost: r.count("time_cost"), Parallelism: r.count("parallelism"),
	}
	return sealing(r, readPassphrase(r, &costs))
}

func passphraseOpen(r *request) func(*answer) error { return opening(r, readPassphrase(r, nil)) }
func externalSeal(r *request) func(*answer) error   { return sealing(r, readExternal(r)) }
func externalOpen(r *request) func(*answer) error   { return opening(r, readExternal(r)) }

func dataKeyNew(r *request) func(*answer) error {
	fields, scope, entropy := readSealer(r), r.text("scope"), r.hex("entropy_hex")
	return func(a *answer) error {
		return fields.with(func(sealer *donjon.Sealer) error {
			return drawing(entropy, func() error {
				key, wrapped, err := sealer.NewDataKeyAt(scope, fields.now)
				if err != nil {
					return err
				}
				defer key.Close()
				a.hex("data_key_hex", wrapped)
				a.string("key_id", key.KeyID())
				return nil
			})
		})
	}
}

func dataKeyRewrap(r *request) func(*answer) error {
	fields, scope := readSealer(r), r.text("scope")
	wrapped, entropy := r.hex("data_key_hex"), r.hex("entropy_hex")
	return func(a *answer) error {
		return fields.with(func(sealer *donjon.Sealer) error {
			return drawing(entropy, func() error {
				rewrapped, err := sealer.RewrapDataKeyAt(wrapped, scope, nil, fields.now)
				a.hex("data_key_hex", rewrapped)
				return err
			})
		})
	}
}

// withDataKey reads a stored data key, which the function that it returns opens.
func withDataKey(r *request) (sealerFields, func(use func(*donjon.DataKey) error) error) {
	fields, scope, wrapped := readSealer(r), r.text("scope"), r.hex("data_key_hex")
	return fields, func(use func(*donjon.DataKey) error) error {
		return fields.with(func(sealer *donjon.Sealer) error {
			key, err := sealer.OpenDataKeyAt(wrapped, scope, fields.now)
			if err != nil {
				return err
			}
			defer key.Close()
			return use(key)
		})
	}
}

func cellSeal(r *request) func(*answer) error {
	fields, with := withDataKey(r)
	context, plaintext, entropy := readContext(r), r.hex("plaintext_hex"), r.hex("entropy_hex")
	return func(a *answer) error {
		return with(func(key *donjon.DataKey) error {
			return drawing(entropy, func() error {
				cell, err := key.SealAt(context(), plaintext, fields.now)
				a.hex("cell_hex", cell)
				return err
			})
		})
	}
}

func cellOpen(r *request) func(*answer) error {
	fields, with := withDataKey(r)
	context, cell := readContext(r), r.hex("cell_hex")
	return func(a *answer) error {
		return with(func(key *donjon.DataKey) error {
			plaintext, err := key.OpenAt(context(), cell, fields.now)
			a.hex("plaintext_hex", plaintext)
			return err
		})
	}
}

func streamSeal(r *request) func(*answer) error {
	fields, context := readSealer(r), readContext(r)
	pieces, entropy := r.hexes("pieces_hex"), r.hex("entropy_hex")
	return func(a *answer) error {
		return fields.with(func(sealer *donjon.Sealer) error {
			return drawing(entropy, func() error {
				var envelope bytes.Buffer
				w, err := sealer.NewWriter(&envelope, context(), &donjon.StreamOptions{Now: fields.now})
				if err != nil {
					return err
				}
				for _, piece := range pieces {
					if _, err := w.Write(piece); err != nil {
						return err
					}
				}
				if err := w.Close(); err != nil {
					return err
				}
				a.hex("envelope_hex", envelope.Bytes())
				return nil
			})
		})
	}
}

// inPieces reads no more than one piece at a time.
func inPieces(pieces [][]byte) io.Reader {
	readers := make([]io.Reader, len(pieces))
	for i, piece := range pieces {
		readers[i] = bytes.NewReader(piece)
	}
	return io.MultiReader(readers...)
}

func streamOpen(r *request) func(*answer) error {
	fields, context, pieces := readSealer(r), readContext(r), r.hexes("pieces_hex")
	return func(a *answer) error {
		return fields.with(func(sealer *donjon.Sealer) error {
			envelope, err := sealer.NewReader(inPieces(pieces), context(), &donjon.StreamOptions{Now: fields.now})
			if err != nil {
				return err
			}
			defer envelope.Close()
			plaintext, err := io.ReadAll(envelope)
			a.hex("plaintext_hex", plaintext)
			return err
		})
	}
}

func readerRead(r *request) func(*answer) error {
	fields, context, envelope := readSealer(r), readContext(r), r.hex("envelope_hex")
	offset, length := r.size("offset"), r.size("length")
	if length > 1<<24 {
		r.bad()
	}
	return func(a *answer) error {
		return fields.with(func(sealer *donjon.Sealer) error {
			file, err := sealer.NewReaderAt(bytes.NewReader(envelope), int64(len(envelope)), context(), &donjon.StreamOptions{Now: fields.now})
			if err != nil {
				return err
			}
			defer file.Close()
			plaintext := make([]byte, length)
			n, err := file.ReadAt(plaintext, offset)
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			a.hex("plaintext_hex", plaintext[:n])
			a.int("size", file.Size())
			return nil
		})
	}
}
