package donjon

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// hidden is what logs, [fmt] and encoders see of a struct that it is part of.
type hidden struct{}

const redacted = "[hidden]"

// errInClear is a mistake in the program: who answers with a secret names it.
var errInClear = errors.New("donjon: a secret is not marshalled: name the value in it")

// Format implements [fmt.Formatter], without the value.
func (hidden) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements [slog.LogValuer], without the value.
func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText refuses, and so do [encoding/json], [encoding/xml] and their like.
func (hidden) MarshalText() ([]byte, error) { return nil, errInClear }

// MarshalBinary refuses, and so does [encoding/gob].
func (hidden) MarshalBinary() ([]byte, error) { return nil, errInClear }
