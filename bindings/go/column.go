package donjon

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
)

// A Cell is a place in a database, and what seals there: a [DataKey] or a
// [Sealer]. The zero Cell seals and opens nothing.
type Cell struct {
	sealer  *Sealer
	context func() Context
}

// Cell returns the cell of a context, such as that of a table, a column and a row.
func (s *Sealer) Cell(context Context) Cell {
	return Cell{s, func() Context { return context }}
}

// CellFunc is [Sealer.Cell] of a context that is asked for whenever a value is
// sealed or opened, so that it can be that of the row that is being scanned. The
// row's key then comes before the encrypted column:
//
//	email := donjon.EncryptedString{Cell: key.CellFunc(func() donjon.Context { return emails.With(id) })}
//	for rows.Next() {
//		err := rows.Scan(&id, &email)
func (s *Sealer) CellFunc(context func() Context) Cell { return Cell{s, context} }

var (
	// errNoCell is a mistake in the program that would otherwise store a value in
	// the clear.
	errNoCell = errors.New("donjon: an encrypted column without a Cell")

	// The errors of [encoding/json] quote the value, and would take it to the logs.
	errNotJSON   = errors.New("donjon: the value of an encrypted column has no JSON")
	errOtherJSON = errors.New("donjon: an encrypted column was sealed as JSON of another type")
)

// value seals what stands in the cell.
func (c Cell) value(plaintext []byte) (driver.Value, error) {
	if c.sealer == nil || c.context == nil {
		return nil, errNoCell
	}
	return c.sealer.Seal(c.context(), plaintext)
}

// scan opens what a database had in the cell.
func (c Cell) scan(src any) ([]byte, error) {
	if c.sealer == nil || c.context == nil {
		return nil, errNoCell
	}
	switch sealed := src.(type) {
	case []byte:
		return c.sealer.Open(c.context(), sealed)
	case string:
		return c.sealer.Open(c.context(), []byte(sealed))
	default:
		return nil, ErrDecryptFailed // a number, say, is nothing that was sealed
	}
}

// EncryptedString is a text in an encrypted column, of a type for bytes such as
// BLOB or BYTEA. As an argument of a query it is sealed for its cell, and scanned
// it is opened. Logs and [fmt] do not show it, and to marshal it is an error. But
// fmt calls no methods of what is in an unexported field, in a map there, say, and
// shows all of it: print no struct that has an EncryptedString there.
//
// Without a cell it is neither stored nor scanned. A text that is moved to another
// row, by the program or in the database, does not open there; so the row's key has
// to be known when the text is stored, as one that the program makes is.
type EncryptedString struct {
	hidden

	Cell   Cell
	String string
	Null   bool // is stored and was read as NULL; String is then not looked at
}

// Value implements [driver.Valuer].
func (e EncryptedString) Value() (driver.Value, error) {
	if e.Null {
		return nil, nil
	}
	return e.Cell.value([]byte(e.String))
}

// Scan implements [database/sql.Scanner].
func (e *EncryptedString) Scan(src any) error {
	e.String, e.Null = "", src == nil
	if e.Null {
		return nil
	}
	plaintext, err := e.Cell.scan(src)
	e.String = string(plaintext)
	return err
}

// EncryptedBytes is [EncryptedString] of bytes.
type EncryptedBytes struct {
	hidden

	Cell  Cell
	Bytes []byte
	Null  bool // is stored and was read as NULL; Bytes is then not looked at
}

// Value implements [driver.Valuer].
func (e EncryptedBytes) Value() (driver.Value, error) {
	if e.Null {
		return nil, nil
	}
	return e.Cell.value(e.Bytes)
}

// Scan implements [database/sql.Scanner].
func (e *EncryptedBytes) Scan(src any) (err error) {
	e.Bytes, e.Null = nil, src == nil
	if e.Null {
		return nil
	}
	e.Bytes, err = e.Cell.scan(src)
	return err
}

// EncryptedJSON is [EncryptedString] of any value, stored as JSON. What
// [encoding/json] says of a value is in no error, for it may quote the value.
type EncryptedJSON[T any] struct {
	hidden

	Cell Cell
	V    T
	Null bool // is stored and was read as NULL; V is then not looked at
}

// Value implements [driver.Valuer].
func (e EncryptedJSON[T]) Value() (driver.Value, error) {
	if e.Null {
		return nil, nil
	}
	text, err := json.Marshal(e.V)
	if err != nil {
		return nil, errNotJSON
	}
	return e.Cell.value(text)
}

// Scan implements [database/sql.Scanner].
func (e *EncryptedJSON[T]) Scan(src any) error {
	var decoded T
	e.V, e.Null = decoded, src == nil
	if e.Null {
		return nil
	}
	text, err := e.Cell.scan(src)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &decoded); err != nil {
		return errOtherJSON
	}
	e.V = decoded
	return nil
}
