package donjon_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"testing"
)

// A memoryDB is a database of one table, whose rows tests look into and change.
// An INSERT adds its arguments as a row, a SELECT returns all rows.
type memoryDB struct {
	columns []string
	rows    [][]driver.Value
}

func (db *memoryDB) open(t testing.TB) *sql.DB {
	t.Helper()
	opened := sql.OpenDB(db)
	t.Cleanup(func() { opened.Close() })
	return opened
}

func (db *memoryDB) Connect(context.Context) (driver.Conn, error) { return db, nil }
func (db *memoryDB) Driver() driver.Driver                        { return nil }
func (db *memoryDB) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }
func (db *memoryDB) Close() error                                 { return nil }
func (db *memoryDB) Prepare(string) (driver.Stmt, error)          { return memoryStmt{db}, nil }

type memoryStmt struct{ db *memoryDB }

func (s memoryStmt) Close() error  { return nil }
func (s memoryStmt) NumInput() int { return -1 }

func (s memoryStmt) Exec(args []driver.Value) (driver.Result, error) {
	row := slices.Clone(args)
	for i, value := range row {
		if b, ok := value.([]byte); ok {
			row[i] = slices.Clone(b)
		}
	}
	s.db.rows = append(s.db.rows, row)
	return driver.RowsAffected(1), nil
}

func (s memoryStmt) Query([]driver.Value) (driver.Rows, error) {
	return &memoryRows{columns: s.db.columns, rows: s.db.rows}, nil
}

type memoryRows struct {
	columns []string
	rows    [][]driver.Value
}

func (r *memoryRows) Columns() []string { return r.columns }
func (r *memoryRows) Close() error      { return nil }

func (r *memoryRows) Next(values []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	copy(values, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}
