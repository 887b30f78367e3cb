package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/donjon-security/donjon/bindings/go"
)

// phones opens telephone numbers that the Python service has sealed. It has the
// keyring, and no driver for SQLite: the caller brings the row as the database
// has it.
type phones struct {
	file   string
	sealer atomic.Pointer[donjon.Sealer]
	log    *slog.Logger
}

func newPhones(file string, log *slog.Logger) (*phones, error) {
	p := &phones{file: file, log: log}
	return p, p.readKeyring()
}

// readKeyring opens with the keys of the keyring as it is now.
func (p *phones) readKeyring() error {
	jwks, err := os.ReadFile(p.file)
	if err != nil {
		return err
	}
	keyring, err := donjon.ParseKeyring(jwks)
	if err != nil {
		return err
	}
	defer keyring.Close()
	sealer, err := donjon.NewSealer(keyring)
	if err != nil {
		return err
	}
	p.sealer.Store(sealer) // the old one is released once no request uses it
	return nil
}

// sealedRow is a row of the table contacts, with the data key of its person.
type sealedRow struct {
	Phone   []byte `json:"phone"`
	DataKey []byte `json:"data_key"`
}

type phoneOf struct {
	Service string `json:"service"`
	Phone   string `json:"phone"`
}

// open answers with the number of the caller, out of the row of the caller: what
// was sealed in another row opens in none but that.
func (p *phones) open(w http.ResponseWriter, r *http.Request) {
	user, _ := donjon.FromContext(r.Context()) // RequireToken has put it there
	var row sealedRow
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&row); err != nil {
		http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
		return
	}
	phone, err := p.phone(user.Subject(), row)
	if err != nil {
		p.log.Error("request refused", "reason", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	answer(w, phoneOf{Service: "go", Phone: phone})
}

// phone opens a row as database/sql would scan it. The context is the one of the
// Python service: scope, table, column, row.
func (p *phones) phone(name string, row sealedRow) (string, error) {
	key, err := p.sealer.Load().OpenDataKey(row.DataKey, name)
	if err != nil {
		return "", err
	}
	defer key.Close()
	phone := donjon.EncryptedString{Cell: key.Cell(donjon.ContextOf(name, "contacts", "phone", name))}
	if err := phone.Scan(row.Phone); err != nil {
		return "", err
	}
	return phone.String, nil
}
