package donjon

import (
	"encoding/json"
	"log/slog"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A ConfigError says why a key set, a configuration or a policy was refused, to
// whoever wrote it. It is [ErrConfig]; of a policy, perhaps [ErrMalformed] or
// [ErrTooLarge].
type ConfigError struct {
	Code    Code
	Path    string // such as "keys[3]" or "roles.editor.allow[0]"; empty if it has no place
	Message string // quotes a policy, but never a key
}

// Error returns the place and what is wrong there.
func (e *ConfigError) Error() string {
	text := "donjon: " + e.Code.String() + ": "
	if e.Path != "" {
		text += e.Path + ": "
	}
	return text + e.Message
}

// Unwrap returns the [*Error] of the code.
func (e *ConfigError) Unwrap() error { return failure(int32(e.Code)) }

// LogValue implements [slog.LogValuer], as [Error.LogValue] does, with the place.
func (e *ConfigError) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("code", e.Code.String()), slog.String("path", e.Path), slog.String("message", e.Message))
}

// misconfigured is the error of options that the kernel need not be asked about.
func misconfigured(path, message string) error { return &ConfigError{CodeConfig, path, message} }

// accepted is the error of a status, nil for success, with the reason that
// diagnose finds.
func accepted(status int32, diagnose func() ([]byte, int32)) error {
	err := failure(status)
	if err == nil {
		return nil
	}
	text, diagnosed := diagnose()
	refusal := &ConfigError{Code: Code(status)}
	if diagnosed != abi.StatusOK || json.Unmarshal(text, refusal) != nil || refusal.Message == "" {
		return err
	}
	return refusal
}
