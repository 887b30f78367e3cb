package donjon_test

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

type address struct {
	City string `json:"city"`
	Zip  int    `json:"zip"`
}

// person is a row of encrypted columns, each bound to its place.
type person struct {
	id      string
	email   donjon.EncryptedString
	photo   donjon.EncryptedBytes
	address donjon.EncryptedJSON[address]
}

func newPerson(s sealing, id string) *person {
	p := &person{id: id}
	row := func(column string) donjon.Cell { return s.Cell(donjon.ContextOf("people", column, id)) }
	p.email.Cell, p.photo.Cell, p.address.Cell = row("email"), row("photo"), row("address")
	return p
}

func (p *person) insert(db *sql.DB) error {
	_, err := db.Exec("INSERT", p.id, p.email, &p.photo, p.address)
	return err
}

func (p *person) query(db *sql.DB) error {
	return db.QueryRow("SELECT").Scan(&p.id, &p.email, &p.photo, &p.address)
}

func people() *memoryDB { return &memoryDB{columns: []string{"id", "email", "photo", "address"}} }

func TestColumnsAreSealedInTheDatabaseOnly(t *testing.T) {
	for source, s := range sealings(t) {
		store := people()
		db := store.open(t)
		ann := newPerson(s, "1")
		ann.email.String, ann.photo.Bytes, ann.address.V = "ann@example.com", []byte("GIF89a"), address{"Oslo", 150}
		ok(t, ann.insert(db))
		stored := fmt.Sprintf("%s", store.rows)
		for _, secret := range []string{"ann", "GIF", "Oslo", "150"} {
			if strings.Contains(stored, secret) {
				t.Errorf("%s: %s is in the clear", source, secret)
			}
		}

		read := newPerson(s, "1")
		ok(t, read.query(db))
		equal(t, "email", read.email.String, "ann@example.com")
		same(t, "photo", read.photo.Bytes, []byte("GIF89a"))
		equal(t, "address", read.address.V, address{"Oslo", 150})
	}
}

func TestNullAndEmptyAreNotTheSame(t *testing.T) {
	store, key := people(), newDataKey(t)
	db := store.open(t)
	ok(t, newPerson(key, "1").insert(db))
	nobody := newPerson(key, "2")
	nobody.email.Null, nobody.photo.Null, nobody.address.Null = true, true, true
	nobody.email.String = "not looked at"
	ok(t, nobody.insert(db))
	for i, value := range store.rows[1][1:] {
		if value != nil || store.rows[0][1+i] == nil {
			t.Errorf("column %d: %v", i, value)
		}
	}

	empty := newPerson(key, "1")
	empty.email = donjon.EncryptedString{Cell: empty.email.Cell, String: "before", Null: true}
	ok(t, empty.query(db))
	equal(t, "empty", fmt.Sprintf("%v %q %v %q %v", empty.email.Null, empty.email.String, empty.photo.Null, empty.photo.Bytes, empty.address.Null), `false "" false "" false`)

	store.rows = store.rows[1:]
	null := newPerson(key, "2")
	null.email.String, null.photo.Bytes, null.address.V.City = "before", []byte("before"), "before"
	ok(t, null.query(db))
	equal(t, "null", fmt.Sprintf("%v %q %v %q %v", null.email.Null, null.email.String, null.photo.Null, null.photo.Bytes, null.address.Null), `true "" true "" true`)
	equal(t, "address", null.address.V, address{})
}

// The database is not trusted: what it moves, changes or makes up does not open,
// and leaves no value behind.
func TestHostileDatabaseIsFoundOut(t *testing.T) {
	key := newDataKey(t)
	store := people()
	db := store.open(t)
	for _, id := range []string{"1", "2"} {
		p := newPerson(key, id)
		p.email.String, p.photo.Bytes, p.address.V.City = id+"@example.com", []byte(id), id
		ok(t, p.insert(db))
	}
	good := store.rows
	for name, change := range map[string]func(rows [][]driver.Value){
		"the other row's email": func(rows [][]driver.Value) { rows[0][1] = rows[1][1] },
		"the other row's photo": func(rows [][]driver.Value) { rows[0][2] = rows[1][2] },
		"the other row":         func(rows [][]driver.Value) { copy(rows[0][1:], rows[1][1:]) },
		"another column":        func(rows [][]driver.Value) { rows[0][1], rows[0][2] = rows[0][2], rows[0][1] },
		"another id":            func(rows [][]driver.Value) { rows[0][0], rows[1][0] = rows[1][0], rows[0][0] },
		"a text":                func(rows [][]driver.Value) { rows[0][1] = "eve@example.com" },
		"bytes":                 func(rows [][]driver.Value) { rows[0][3] = []byte(`{"city":"Rome"}`) },
		"nothing":               func(rows [][]driver.Value) { rows[0][1] = []byte{} },
		"a number":              func(rows [][]driver.Value) { rows[0][2] = int64(7) },
		"a part":                func(rows [][]driver.Value) { rows[0][3] = rows[0][3].([]byte)[:100] },
	} {
		store.rows = [][]driver.Value{slices.Clone(good[0]), slices.Clone(good[1])}
		change(store.rows)
		read := newPerson(key, "")
		bindToRow(key, read)
		err := read.query(db)
		if !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%s: %v", name, err)
		}
		if read.address.V.City != "" {
			t.Errorf("%s: the last column was read all the same", name)
		}
	}
}

// bindToRow binds p to the row that is scanned, whichever it is.
func bindToRow(s *donjon.DataKey, p *person) {
	row := func(column string) donjon.Cell {
		return s.CellFunc(func() donjon.Context { return donjon.ContextOf("people", column, p.id) })
	}
	p.email.Cell, p.photo.Cell, p.address.Cell = row("email"), row("photo"), row("address")
}

func TestOneVariableScansManyRows(t *testing.T) {
	key := newDataKey(t)
	store := people()
	db := store.open(t)
	for i := range 10 {
		p := newPerson(key, fmt.Sprint(i))
		p.email.String, p.email.Null = fmt.Sprintf("%d@example.com", i), i%3 == 2
		ok(t, p.insert(db))
	}
	var p person
	bindToRow(key, &p)
	rows, err := db.Query("SELECT")
	ok(t, err)
	defer rows.Close()
	for i := 0; rows.Next(); i++ {
		ok(t, rows.Scan(&p.id, &p.email, &p.photo, &p.address))
		want := fmt.Sprintf("%d@example.com", i)
		if i%3 == 2 {
			want = ""
		}
		equal(t, "email", p.email.String, want)
		equal(t, "null", p.email.Null, i%3 == 2)
	}
	ok(t, rows.Err())
}

// Whoever forgets the cell gets an error, and stores nothing in the clear.
func TestColumnWithoutACellStoresNothing(t *testing.T) {
	key := newDataKey(t)
	store := people()
	db := store.open(t)
	forgotten := &person{id: "1"}
	forgotten.email.String = "ann@example.com"
	if err := forgotten.insert(db); err == nil || len(store.rows) > 0 {
		t.Errorf("stored %v: %v", store.rows, err)
	}
	for name, value := range map[string]any{
		"a text":             donjon.EncryptedString{String: "ann"},
		"a pointer":          &donjon.EncryptedString{String: "ann"},
		"bytes":              donjon.EncryptedBytes{Bytes: []byte("ann")},
		"a value":            donjon.EncryptedJSON[string]{V: "ann"},
		"no context":         donjon.EncryptedString{Cell: key.Cell(donjon.Context{}), String: "ann"},
		"no function":        donjon.EncryptedString{Cell: key.CellFunc(nil), String: "ann"},
		"nullable":           sql.Null[donjon.EncryptedString]{V: donjon.EncryptedString{String: "ann"}, Valid: true},
		"no JSON":            donjon.EncryptedJSON[any]{Cell: key.Cell(here), V: func() {}},
		"a data key, closed": donjon.EncryptedString{Cell: closedKey(t).Cell(here), String: "ann"},
	} {
		if _, err := db.Exec("INSERT", value); err == nil || len(store.rows) > 0 {
			t.Fatalf("%s: stored %v: %v", name, store.rows, err)
		}
	}

	ok(t, newPerson(key, "1").insert(db))
	if err := new(person).query(db); err == nil {
		t.Error("scanned without a cell")
	}
}

func closedKey(t testing.TB) *donjon.DataKey {
	t.Helper()
	key := newDataKey(t)
	key.Close()
	return key
}

func TestSecretsAreNotShown(t *testing.T) {
	ann := newPerson(newDataKey(t), "1")
	ann.email.String, ann.photo.Bytes, ann.address.V.City = "secret", []byte("secret"), "secret"
	key := donjon.ExternalKey{DataKey: []byte("secret")}
	var shown bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&shown, verb, ann.email)
		fmt.Fprintf(&shown, verb, &ann.email)
		fmt.Fprintf(&shown, verb, ann.photo)
		fmt.Fprintf(&shown, verb, &ann.address)
		fmt.Fprintf(&shown, verb, key)
		fmt.Fprintf(&shown, verb, []any{ann.address, map[string]any{"": ann.photo}})
		fmt.Fprintf(&shown, verb, struct{ Email donjon.EncryptedString }{ann.email})
	}
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&shown, nil)), slog.New(slog.NewJSONHandler(&shown, nil))} {
		logger.Info("ann", "email", ann.email, "photo", &ann.photo, "address", ann.address, "key", key)
	}
	for _, value := range []any{ann.email, &ann.photo, ann.address, key, map[string]any{"email": ann.email}} {
		if text, err := json.Marshal(value); err == nil {
			t.Errorf("as JSON: %s", text)
		}
		if text, err := xml.Marshal(value); err == nil {
			t.Errorf("as XML: %s", text)
		}
		if err := gob.NewEncoder(io.Discard).Encode(value); err == nil {
			t.Errorf("as gob: %T", value)
		}
	}
	for _, secret := range []string{"secret", "115 101", "736563"} {
		if strings.Contains(shown.String(), secret) {
			t.Errorf("shown: %s", &shown)
		}
	}
}

// card is a value that JSON's errors would quote.
type card string

func (c card) MarshalText() ([]byte, error) { return nil, fmt.Errorf("no card: %s", string(c)) }

func TestErrorsOfColumnsDoNotQuoteTheValue(t *testing.T) {
	cell := newDataKey(t).Cell(here)
	number, err := donjon.EncryptedJSON[int]{Cell: cell, V: 4111111111}.Value()
	ok(t, err)
	_, literal := donjon.EncryptedJSON[json.Number]{Cell: cell, V: "4111111111x"}.Value()
	_, own := donjon.EncryptedJSON[card]{Cell: cell, V: "4111111111"}.Value()
	for name, err := range map[string]error{
		"another type":  (&donjon.EncryptedJSON[int8]{Cell: cell}).Scan(number),
		"no number":     literal,
		"its own error": own,
	} {
		if err == nil || strings.Contains(err.Error(), "4111") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
