package shim

import (
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// An answer is a JSON object in the making.
type answer struct {
	text []byte
}

func (a *answer) raw(name, value string) {
	if len(a.text) == 0 {
		a.text = append(a.text, '{')
	} else {
		a.text = append(a.text, ',')
	}
	a.text = quote.Append(a.text, name)
	a.text = append(a.text, ':')
	a.text = append(a.text, value...)
}

func (a *answer) string(name, value string) { a.raw(name, string(quote.Append(nil, value))) }
func (a *answer) hex(name string, b []byte) { a.string(name, hex.EncodeToString(b)) }
func (a *answer) bool(name string, b bool)  { a.raw(name, strconv.FormatBool(b)) }
func (a *answer) int(name string, n int64)  { a.raw(name, strconv.FormatInt(n, 10)) }

func (a *answer) strings(name string, texts []string) { a.raw(name, list(texts)) }

func list(texts []string) string { return string(quote.AppendAll(nil, texts)) }

// document answers a JSON text of the kernel's, or with its refusal.
func (a *answer) document(name string) func(text []byte, err error) error {
	return func(text []byte, err error) error {
		if err == nil {
			a.raw(name, string(text))
		}
		return err
	}
}

// stringOrNull answers null for "".
func (a *answer) stringOrNull(name, value string) {
	if value == "" {
		a.raw(name, "null")
	} else {
		a.string(name, value)
	}
}

// timeOrNull answers seconds, null for the zero time.
func (a *answer) timeOrNull(name string, t time.Time) {
	if t.IsZero() {
		a.raw(name, "null")
	} else {
		a.int(name, t.Unix())
	}
}

func (a *answer) end() []byte { return append(a.text, '}') }

// refusal is the answer to a request that came to err.
func refusal(id string, err error) []byte {
	name := err.Error()
	var kernel *donjon.Error
	if errors.As(err, &kernel) {
		name = kernel.Code.String()
	}
	var a answer
	a.raw("id", id)
	a.bool("ok", false)
	a.string("error", name)
	return a.end()
}
