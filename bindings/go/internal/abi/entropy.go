//go:build !donjon_shim

package abi

// WithEntropy would run f on chosen bytes; this library draws from the
// operating system only and says so without running it.
func WithEntropy(_ []byte, _ func()) int32 { return StatusUnsupported }
