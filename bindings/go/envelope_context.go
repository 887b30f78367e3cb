package donjon

import "github.com/donjon-security/donjon/bindings/go/internal/abi"

// MaxContextLen is how long a [Context] may be, in bytes: all its parts, and four
// bytes for each.
const MaxContextLen = abi.ContextMax

// A Context is the place where something sealed belongs, such as its tenant,
// table, column and row. What is sealed opens only with the same parts in the same
// order: ("ab", "c") and ("a", "bc") differ.
//
// The zero Context is none, and using it is [ErrInvalidArgument]: who really wants
// sealed data to open anywhere says so by [ContextOf] without parts.
type Context struct {
	encoded string
	err     error // of making it, which every use of it returns
	given   bool
}

// ContextOf returns the context of these parts, each of any bytes. One over
// [MaxContextLen] is [ErrTooLarge] when it is used.
func ContextOf(parts ...string) Context { return Context{given: true}.With(parts...) }

// With returns the context of more parts: of a row, where c is the one of a
// column. The zero context stays what it is.
func (c Context) With(parts ...string) Context {
	if !c.given || c.err != nil || len(parts) == 0 {
		return c
	}
	size := len(c.encoded)
	for _, part := range parts {
		size += 4 + len(part)
	}
	encoded := append(make([]byte, 0, min(size, MaxContextLen)), c.encoded...)
	for _, part := range parts {
		next, status := abi.ContextAppend(encoded, part)
		if c.err = failure(status); c.err != nil {
			return c
		}
		encoded = next
	}
	c.encoded = abi.Text(encoded)
	return c
}

// kernel is c as the kernel takes it.
func (c Context) kernel() (string, error) {
	if !c.given {
		return "", ErrInvalidArgument
	}
	return c.encoded, c.err
}
